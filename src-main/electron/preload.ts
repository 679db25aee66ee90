/** Runs sandboxed in the window before its page: exposes `window.wherry`, the one way to the host, and nothing else. */
import { contextBridge, ipcRenderer } from 'electron';
import type { PreloadBridge } from '../contract/wire-transports.ts';
import type { ClientFrame, ServerFrame } from '../contract/wire.ts';
import { frameChannel } from './frame-channel.ts';

const bridge: PreloadBridge = {
  platform: process.platform,
  post: (frame: ClientFrame) => ipcRenderer.send(frameChannel, frame),
  onFrame: (listener) => {
    ipcRenderer.removeAllListeners(frameChannel);
    // The event object would give the page more than the frame; it is left out.
    ipcRenderer.on(frameChannel, (_event, frame: ServerFrame | null) => listener(frame));
  },
};

contextBridge.exposeInMainWorld('wherry', bridge);
