/**
 * Files between a window and the host, in pieces over the one wire, which carries JSON: so bytes go as base64. It works alike
 * in every shell and through the process that owns the home; a second way beside it (HTTP) would work in the browser only.
 */

/** A piece of base64 has no padding within a file when its bytes are a multiple of three. */
export const pieceBytes = 192 * 1024;

/** How many pieces a window may send ahead of those the host has taken. */
export const piecesAhead = 16;

/**
 * From the host during an upload: first the task that it belongs to, then that so many more pieces were taken. The stream's
 * end is the task's.
 */
export type UploadItem = { readonly taskId: string } | { readonly taken: number };

/** From the window: a piece, or that there is no more. Closing the stream before `end` gives the upload up. */
export type UploadMessage = { readonly data: string } | { readonly end: true };

/** From the host during a download: first the task, then the pieces. The stream's end is the file's. */
export type DownloadItem = { readonly taskId: string } | { readonly data: string };
