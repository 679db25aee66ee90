/** Composition root: builds the agent's parts in boot order and takes them down again. */
import { readConfig } from './config.ts';
import { startAgent } from './agent.ts';
import { log } from './log.ts';

process.on('uncaughtException', (error) => log.error('an error nobody handled', error));
process.on('unhandledRejection', (error) => log.error('a promise nobody handled', error));

startAgent(readConfig(process.env)).catch((error: unknown) => {
  log.error('the agent could not start', error);
  process.exit(1);
});
