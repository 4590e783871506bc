import { NotLoggedInError, PodioError } from '../errors.ts';
import { apiKeyAgain, type ToldKey } from './api-key.ts';
import type { Context } from './context.ts';
import { failed } from './output.ts';
import { personAgain, type ToldPerson } from './person.ts';

/** What a login is made with. */
export interface Answers {
  readonly key: ToldKey;
  readonly person: ToldPerson;
  /** The code of the two-step verification, where it is known before it is asked for. */
  readonly otp: string | undefined;
}

const MOST_TRIES = 3;
const REFUSED_CODE = ['invalid_second_factor', 'nonce_validation_error'];

/**
 * Logs in with the answers; what was typed and then refused is asked for again, twice at most. Nothing else is tried
 * again: another try would not help where Podio could not be reached, and harm where it wants to be left alone.
 */
export async function untilAccepted<T>(
  context: Context,
  first: Answers,
  logIn: (answers: Answers) => Promise<T>,
): Promise<T> {
  let answers = first;
  for (let tries = 1; ; tries++) {
    try {
      return await logIn(answers);
    } catch (error) {
      const next = tries < MOST_TRIES ? await bettered(context, answers, error) : undefined;
      if (next === undefined) throw error;
      answers = next;
    }
  }
}

async function bettered(context: Context, answers: Answers, error: unknown): Promise<Answers | undefined> {
  if (!(error instanceof NotLoggedInError) || !(error.cause instanceof PodioError)) return undefined;
  const ask = questionAfter(context, answers, error.cause.error);
  if (ask === undefined) return undefined;
  failed(context.io, error.message);
  return ask();
}

type Ask = () => Promise<Answers>;

function questionAfter(context: Context, answers: Answers, refused: string): Ask | undefined {
  const { person, key } = answers;
  if (refused === 'invalid_client') {
    return key.isTyped ? async () => ({ ...answers, key: await apiKeyAgain(context, key) }) : undefined;
  }
  // The code is asked for in any case; what stands before it was good.
  if (REFUSED_CODE.includes(refused))
    return person.isSecretTyped ? async () => ({ ...answers, otp: undefined }) : undefined;
  return person.isSecretTyped
    ? async () => ({ ...answers, person: await personAgain(context, person) })
    : undefined;
}
