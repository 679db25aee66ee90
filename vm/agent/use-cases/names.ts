/** Names of containers: what is allowed, and one for those who gave none. */
import { randomBytes, randomInt } from 'node:crypto';
import { EngineError } from '../../contract/errors.ts';

const adjectives =
  `able agile ample astute blithe bold brave breezy bright brisk calm candid cheerful clever cosy crisp daring
dapper deft eager earnest elated fair fearless fleet fond frank gallant gentle genial glad graceful handy hardy hearty
honest jaunty jolly jovial keen kind lively loyal lucid lucky mellow merry mighty modest neat nimble noble patient
placid plucky polite proud quick quiet ready robust rosy salty sane serene sharp shrewd sincere smart snug sober
spry steady sturdy sunny supple swift tender tidy tireless trusty upbeat valiant vivid warm wise witty zesty`.split(
    /\s+/,
  );

/** People of the sea and of its charts. */
const surnames =
  `amundsen anson banks baret barents baudin beaufort bering bligh bougainville brendan cabot cabral cartier
chichester clerke cook cousteau dampier dias drake earle elcano eriksson fitzroy flinders franklin
frobisher gama grenfell halley harrison hawkins henson heyerdahl hudson hunter joyce knoxjohnston
laperouse magellan mahan maury mercator moitessier nansen nelson ortelius perry piailug pytheas raleigh rickover
ross rodney scoresby shackleton slocum somerville stark sverdrup tabarly tasman tharp tupaia vancouver vespucci
willoughby worsley zhenghe`.split(/\s+/);

const namePattern = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;

/** A name from a request, without its leading slash. Throws `invalid-parameter`, worded as Docker's. */
export function checkContainerName(name: string): string {
  const bare = name.startsWith('/') ? name.slice(1) : name;
  if (namePattern.test(bare)) return bare;
  throw new EngineError(
    'invalid-parameter',
    `Invalid container name (${name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`,
  );
}

/** `brisk_tasman`; with a digit when many are taken. */
export function inventName(isFree: (name: string) => boolean): string {
  for (let attempt = 0; attempt < 12; attempt += 1) {
    const base = `${pick(adjectives)}_${pick(surnames)}`;
    const name = attempt < 6 ? base : `${base}${randomInt(10)}`;
    if (isFree(name)) return name;
  }
  return `${pick(adjectives)}_${randomBytes(6).toString('hex')}`;
}

/** 64 hex digits; never all decimal in its first twelve, so that the short id cannot be taken for a number in a hostname. */
export function inventId(): string {
  for (;;) {
    const id = randomBytes(32).toString('hex');
    if (!/^\d{12}/.test(id)) return id;
  }
}

function pick(words: readonly string[]): string {
  return words[randomInt(words.length)] ?? '';
}
