import { type Answer, json } from './answers.ts';
import type { StoredFile } from './files.ts';
import type { JsonObject } from './json-body.ts';
import { type Part, parseMultipart } from './multipart.ts';
import { invalidValue, noOperation, notFound } from './refusal.ts';
import type { Call } from './router.ts';

/**
 * `POST /file/` and `/file/v2/`: multipart with `source` (the bytes, with a file name) and `filename`, both
 * required (developers.podio.com/doc/files/upload-file-1004361). The refusals are Podio's: podio-js#27 and
 * podio-php#102 quote them.
 */
export function uploadFile(call: Call): Answer {
  const parts = parseMultipart(call.request);
  const [source, filename] = [part(parts, 'source'), part(parts, 'filename')];
  const missing = [!source && 'source', !filename && 'filename'].filter(Boolean);
  if (!source || !filename) throw noOperation(`Missing parameters: ${missing.join(', ')}.`);
  if (source.filename === undefined) {
    throw invalidValue("'source' parameter must given as multipart/form-data with type 'file'");
  }
  const { mimetype, content } = source;
  const file = call.podio.files.add({ name: filename.content.toString('utf8'), mimetype, content });
  return json(fileJson(file, call.podio.origin));
}

/** `GET /file/{id}`: what is known of a file. */
export function getFile(call: Call): Answer {
  return json(fileJson(fileOf(call), call.podio.origin));
}

/** `GET /file/{id}/raw`: the bytes, under the media type they came with. */
export function downloadFile(call: Call): Answer {
  const { mimetype, content } = fileOf(call);
  return { status: 200, headers: { 'content-type': mimetype }, body: content };
}

function fileOf({ id, podio }: Call): StoredFile {
  const file = podio.files.find(id);
  if (file === undefined) throw notFound();
  return file;
}

function part(parts: readonly Part[], name: string): Part | undefined {
  return parts.find((one) => one.name === name);
}

function fileJson({ id, name, mimetype, content, createdAt }: StoredFile, origin: string): JsonObject {
  return {
    file_id: id,
    name,
    mimetype,
    size: content.length,
    link: `${origin}/file/${id}/raw`,
    perma_link: null,
    thumbnail_link: null,
    hosted_by: 'podio',
    hosted_by_humanized_name: 'Podio',
    description: null,
    context: null,
    created_on: new Date(createdAt).toISOString().slice(0, 19).replace('T', ' '),
    rights: ['view', 'update', 'delete', 'download'],
  };
}
