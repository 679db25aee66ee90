import { tmpdir } from 'node:os';
import { OverlaySnapshotter } from '../../../../../vm/agent/snapshots/overlay.ts';
import { VfsSnapshotter } from '../../../../../vm/agent/snapshots/vfs.ts';
import { cannotUnpack } from '../../../../helpers/image-store.ts';
import { snapshotterSuite } from '../../../../suites/snapshotter.ts';

// Overlay mounts are made in the guest's run of this suite.
const here = { base: tmpdir(), skip: cannotUnpack };
snapshotterSuite('overlay', {
  ...here,
  canMount: false,
  open: OverlaySnapshotter.open.bind(OverlaySnapshotter),
});
snapshotterSuite('vfs', { ...here, canMount: true, open: VfsSnapshotter.open.bind(VfsSnapshotter) });
