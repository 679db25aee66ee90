/** Differences that are meant: the command's number in no case, but its text, with the reason. */
export const knownDifferences: Readonly<Record<string, string>> = {};
