/** Name of the one IPC channel between a window and the main process. */
export const frameChannel = 'wherry:frame';
