import type { Command } from 'commander';
import { failureOf } from '../../client/failures.ts';
import type { PodioClient } from '../../client/podio-client.ts';
import { PodioError } from '../../errors.ts';
import { readWhole } from '../../http/decoding.ts';
import { formatAuthType } from '../../values/identity.ts';
import type { RateLimit } from '../../values/rate-limit.ts';
import type { Context } from '../context.ts';
import { visible, write, writeJson } from '../output.ts';
import { withSpinner } from '../spinner.ts';
import { inWords } from '../time.ts';
import type { CommandModule } from './command.ts';

interface LimitsOptions {
  readonly fresh?: boolean;
}

export const limits: CommandModule<LimitsOptions> = {
  declare: (command: Command) =>
    command
      .option('--fresh', 'ask Podio now, which takes one call of the budget')
      .addHelpText('after', NOTES),

  async run(context: Context, { fresh = false }: LimitsOptions): Promise<undefined> {
    const { io, settings } = context;
    const ledger = await context.ledger();
    const known = fresh ? undefined : await ledger?.last();
    const seen = known ?? (await asked(context));
    if (known === undefined) await ledger?.keep(seen);
    const name = ledger ? formatAuthType(context.identity()) : 'PODIO_ACCESS_TOKEN';
    if (settings.json) await writeJson(io, report(name, seen, io.now()));
    else await write(io.stdout, block(name, seen, io.now()));
  },
};

const NOTES = `
Podio allows a number of calls in an hour for each user and API key (1,000; 250 for some operations), says with each
answer how many are left, and does not say when the hour ends. This is what the last answer said that some podio of
this identity kept: batches keep every figure, single calls one of each hundredth part of the budget. Where none is
known of the last hour, or PODIO_ACCESS_TOKEN is set, Podio is asked, which takes one call.

Examples:
  podio limits
  podio limits --fresh --json`;

async function asked(context: Context): Promise<RateLimit> {
  const client = await context.client();
  await withSpinner(context.io, 'Asking Podio', () => ask(client));
  if (client.rateLimit !== undefined) return client.rateLimit;
  throw new PodioError('the API does not say how many calls are left', {
    status: 200,
    error: '',
    hint: 'is it Podio that answers? See --api-url',
  });
}

// The cheapest question that apps and users alike may ask.
async function ask(client: PodioClient): Promise<void> {
  const answer = await client.call({ method: 'GET', path: '/oauth/scope' });
  const text = (await readWhole(answer.body, 1024 * 1024, () => failureOf(answer, ''))).toString();
  // A refusal tells what is left as well, one for being rate limited above all.
  if (answer.status >= 300 && client.rateLimit === undefined) throw failureOf(answer, text);
}

function report(identity: string, { limit, remaining, seenAt }: RateLimit, now: number) {
  return {
    identity,
    limit,
    remaining,
    seen_at: new Date(seenAt).toISOString(),
    age_seconds: Math.round((now - seenAt) / 1000),
  };
}

function block(identity: string, { limit, remaining, seenAt }: RateLimit, now: number): string {
  const seen = inWords(new Date(seenAt).toISOString(), now);
  return `${visible(identity)}
  limit      ${limit} calls an hour
  remaining  ${remaining}
  seen       ${now - seenAt < 1000 ? 'now' : seen}
`;
}
