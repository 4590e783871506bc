/*
 * What has to happen in one step is a script in Redis. The keys of an identity, in this order: the hash that a PHP
 * program shares, our own hash beside it, the lock. Our own hash has these fields:
 *   record    the session as the file manager writes it, with all that the shared hash has no place for
 *   mark      names the record's access token without telling it
 *   spent     the marks of tokens that were replaced or logged out, the newest first
 *   fence     counts who has held the lock
 *   written   the count of who wrote last
 *   reserved  room for the next record, while a token is being spent on it
 */

/** For how long Redis keeps a session: as long as its refresh token lives (developers.podio.com/authentication). */
export const SESSION_MS = 28 * 24 * 60 * 60 * 1000;

/** Answers both hashes as they are at one moment; so it is asked, and not by MULTI, which a full Redis refuses. */
export const SNAPSHOT = `
return {redis.call('HGETALL', KEYS[1]), redis.call('HGETALL', KEYS[2])}`;

/** Takes the lock, or has it already; answers `[count]`, or `[0, who holds it]`. Arguments: holder, milliseconds. */
export const LOCK = `
local holder = redis.call('GET', KEYS[3])
if holder == ARGV[1] then return {tonumber(redis.call('HGET', KEYS[2], 'fence'))} end
if holder then return {0, holder} end
redis.call('SET', KEYS[3], ARGV[1], 'NX', 'PX', ARGV[2])
local fence = redis.call('HINCRBY', KEYS[2], 'fence', 1)
if redis.call('PTTL', KEYS[2]) < 0 then redis.call('PEXPIRE', KEYS[2], 3600000) end
return {fence}`;

/** Holds the lock for longer, or takes it again where it ran out and nobody has it; 0 where somebody does. */
export const EXTEND = `
local holder = redis.call('GET', KEYS[3])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[3], ARGV[1], 'PX', ARGV[2])
return 1`;

/** Gives the lock back if it is ours still. */
export const RELEASE = `
if redis.call('GET', KEYS[3]) == ARGV[1] then redis.call('DEL', KEYS[3]) end`;

/**
 * Fills as much room as the next record will need, and tries whether the shared hash may be written.
 * Arguments: the filling.
 */
export const RESERVE = `
redis.call('HSET', KEYS[2], 'reserved', ARGV[1])
redis.call('HDEL', KEYS[1], 'reserved')`;

/** Gives the room back. */
export const GIVE_BACK = `redis.call('HDEL', KEYS[2], 'reserved')`;

const MARKS = `
local spent = redis.call('HGET', KEYS[2], 'spent') or ''
local function mark(token) return string.sub(redis.sha1hex(token), 1, 16) end
local function spend(name, current)
  if not name or name == current or string.find(spent, name, 1, true) then return end
  spent = string.sub(name .. ',' .. spent, 1, 1700)
end
local function spendAll(current)
  local token = redis.call('HGET', KEYS[1], 'access_token')
  if token and token ~= '' then spend(mark(token), current) end
  spend(redis.call('HGET', KEYS[2], 'mark'), current)
end`;

/**
 * Stores a session, unless one was stored by somebody who had the lock later (then 0). What frees room comes first:
 * a script that has begun to write may go on in a Redis that is full.
 * Arguments: count, milliseconds, record, mark, then the fields of the shared hash.
 */
export const COMMIT = `${MARKS}
redis.call('HDEL', KEYS[2], 'reserved')
local fence = tonumber(ARGV[1])
if tonumber(redis.call('HGET', KEYS[2], 'written') or 0) > fence then return 0 end
spendAll(ARGV[4])
if tonumber(redis.call('HGET', KEYS[2], 'fence') or 0) < fence then redis.call('HSET', KEYS[2], 'fence', fence) end
redis.call('HSET', KEYS[2], 'record', ARGV[3], 'mark', ARGV[4], 'spent', spent, 'written', fence)
redis.call('HSET', KEYS[1], unpack(ARGV, 5))
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('PEXPIRE', KEYS[2], ARGV[2])
return 1`;

/**
 * Forgets a session, unless somebody who had the lock later has stored another (then 0). The marks stay, so that
 * what a program writes back that still has the tokens is known for what it is. Arguments: count, milliseconds.
 */
export const FORGET = `${MARKS}
local fence = tonumber(ARGV[1])
if tonumber(redis.call('HGET', KEYS[2], 'written') or 0) > fence then return 0 end
spendAll('')
redis.call('DEL', KEYS[1])
redis.call('HDEL', KEYS[2], 'record', 'mark', 'reserved')
if spent ~= '' then
  redis.call('HSET', KEYS[2], 'spent', spent, 'written', fence)
  redis.call('PEXPIRE', KEYS[2], ARGV[2])
end
return 1`;

/**
 * Puts in order what another program left in the shared hash, if everything is still as it was found (else 0):
 * writes fields there, or removes it where there are none. Arguments: the access token and the mark that were
 * found, then the fields.
 */
export const REPAIR = `
if (redis.call('HGET', KEYS[1], 'access_token') or '') ~= ARGV[1] then return 0 end
if (redis.call('HGET', KEYS[2], 'mark') or '') ~= ARGV[2] then return 0 end
if #ARGV == 2 then return redis.call('DEL', KEYS[1]) end
redis.call('HSET', KEYS[1], unpack(ARGV, 3))
local left = redis.call('PTTL', KEYS[2])
if left > 0 then redis.call('PEXPIRE', KEYS[1], left) end
return 1`;

/**
 * Takes over a session that another program stored in the shared hash, if everything is still as it was found
 * (else 0). Arguments: the access token and the mark that were found, then record and mark of the new one.
 */
export const ADOPT = `${MARKS}
if redis.call('HGET', KEYS[1], 'access_token') ~= ARGV[1] then return 0 end
if (redis.call('HGET', KEYS[2], 'mark') or '') ~= ARGV[2] then return 0 end
spendAll(ARGV[4])
redis.call('HSET', KEYS[2], 'record', ARGV[3], 'mark', ARGV[4], 'spent', spent)
redis.call('HDEL', KEYS[1], 'obtained_at')
return 1`;
