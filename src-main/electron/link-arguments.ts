/** Links given to the app by the system: `wherry://containers/web/logs`. */
import { linkScheme, parseDeepLink, type DeepLink } from '../contract/deep-links.ts';

/** The link among the arguments of a start (Windows and Linux); what else is there is not ours to read. */
export function linkIn(args: readonly string[]): DeepLink | undefined {
  const url = args.find((arg) => arg.startsWith(linkScheme));
  return url === undefined ? undefined : parseDeepLink(url);
}
