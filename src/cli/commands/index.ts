import { call } from './call.ts';
import type { CommandEntry } from './command.ts';
import { token } from './token.ts';

/** Every command, in the order of the help. What scripts run a thousand times is at hand at once. */
export const COMMANDS: readonly CommandEntry[] = [
  {
    name: 'login',
    summary: 'log in and keep the session',
    load: async () => (await import('./login.ts')).login,
  },
  { name: 'call', summary: 'make one API call', takesJson: false, load: async () => call },
  {
    name: 'batch',
    summary: 'make many API calls, from lines of JSON',
    takesJson: false,
    load: async () => (await import('./batch.ts')).batch,
  },
  {
    name: 'status',
    summary: 'tell who is logged in, and until when',
    load: async () => (await import('./status.ts')).status,
  },
  {
    name: 'switch',
    summary: 'choose the default identity',
    load: async () => (await import('./switch.ts')).switchCommand,
  },
  {
    name: 'token',
    summary: 'print the access token',
    takesJson: false,
    load: async () => token,
  },
  {
    name: 'exec',
    summary: 'run a command with the access token in its environment',
    takesJson: false,
    load: async () => (await import('./exec.ts')).exec,
  },
  {
    name: 'limits',
    summary: 'tell how many calls are left in this hour',
    load: async () => (await import('./limits.ts')).limits,
  },
  {
    name: 'refresh',
    summary: 'renew the session now',
    load: async () => (await import('./refresh.ts')).refresh,
  },
  {
    name: 'logout',
    summary: 'forget sessions',
    load: async () => (await import('./logout.ts')).logout,
  },
  {
    name: 'sessions',
    summary: 'list, move, export and import sessions',
    load: async () => (await import('./sessions.ts')).sessions,
  },
  {
    name: 'doctor',
    summary: 'check that everything is in order',
    load: async () => (await import('./doctor.ts')).doctor,
  },
  {
    name: 'config',
    summary: 'see and change the settings',
    load: async () => (await import('./config.ts')).config,
  },
  {
    name: 'completion',
    summary: 'make a shell complete podio',
    takesJson: false,
    load: async () => (await import('./completion.ts')).completion,
  },
  {
    name: 'sandbox',
    summary: 'run an offline Podio to try things on',
    load: async () => (await import('./sandbox.ts')).sandbox,
  },
  {
    name: 'help',
    summary: 'explain a command or a topic',
    load: async () => (await import('./help.ts')).helpOn(COMMANDS),
  },
];
