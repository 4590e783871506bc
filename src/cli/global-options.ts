import type { Command } from 'commander';

/** Declares the options that every command takes; help and completion read them from here too. */
export function declareGlobalOptions(program: Command): Command {
  return program
    .helpOption('-h, --help', 'print help')
    .option('--as <identity>', 'whose session to use: a name, or app:ID, password:EMAIL')
    .option(
      '--session-manager <manager>',
      'auto, keychain, file, memory, redis://HOST/DB, or a module of your own',
    )
    .option('--api-url <url>', 'which API: https, or http on loopback')
    .option('--json', 'print the result as JSON')
    .option('--no-input', 'ask nothing; what is missing is an error')
    .option('--color <when>', 'auto, always or never')
    .option('-v, --verbose', 'tell on standard error what is sent');
}
