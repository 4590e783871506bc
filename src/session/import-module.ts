/**
 * Imports an ES or CommonJS module, by URL or by the name of a package that lies where podio is installed. A file of
 * its own in the build, because the bundle's own way to load its parts can load no ES module.
 */
export function importModule(name: string): Promise<Record<string, unknown>> {
  return import(name);
}
