import { lazy, Suspense } from 'react';
import { useDialog } from '../stores/dialogs.ts';
import { RemoveContainersDialog } from '../screens/containers/remove-dialog.tsx';
import { RenameDialog } from '../screens/containers/rename-dialog.tsx';
import { ResetDialog } from '../screens/engine/reset-dialog.tsx';
import { StopEngineDialog } from '../screens/engine/stop-dialog.tsx';
import { RemoveImageDialog } from '../screens/images/remove-image-dialog.tsx';
import { TagDialog } from '../screens/images/tag-dialog.tsx';
import { DisconnectDialog } from '../screens/networks/disconnect-dialog.tsx';
import { RemoveNetworksDialog } from '../screens/networks/remove-networks-dialog.tsx';
import { BrowseDialog } from '../screens/registries/browse-dialog.tsx';
import { LoginDialog } from '../screens/registries/login-dialog.tsx';
import { RemoveLoginDialog } from '../screens/registries/remove-login-dialog.tsx';
import { CreateVolumeDialog } from '../screens/volumes/create-volume-dialog.tsx';
import { RemoveVolumesDialog } from '../screens/volumes/remove-volumes-dialog.tsx';

const PullDialog = lazy(() =>
  import('../screens/images/pull-dialog.tsx').then((module) => ({ default: module.PullDialog })),
);
const SearchDialog = lazy(() =>
  import('../screens/images/search-dialog.tsx').then((module) => ({ default: module.SearchDialog })),
);
const PushDialog = lazy(() =>
  import('../screens/images/push-dialog.tsx').then((module) => ({ default: module.PushDialog })),
);
const BuildDialog = lazy(() =>
  import('../screens/images/build-dialog.tsx').then((module) => ({ default: module.BuildDialog })),
);
const RunDialog = lazy(() =>
  import('../screens/images/run-dialog.tsx').then((module) => ({ default: module.RunDialog })),
);
const PruneImagesDialog = lazy(() =>
  import('../screens/images/prune-images-dialog.tsx').then((module) => ({ default: module.PruneImagesDialog })),
);
const PruneVolumesDialog = lazy(() =>
  import('../screens/volumes/prune-volumes-dialog.tsx').then((module) => ({ default: module.PruneVolumesDialog })),
);
const CloneVolumeDialog = lazy(() =>
  import('../screens/volumes/clone-volume-dialog.tsx').then((module) => ({ default: module.CloneVolumeDialog })),
);
const ImportVolumeDialog = lazy(() =>
  import('../screens/volumes/import-volume-dialog.tsx').then((module) => ({ default: module.ImportVolumeDialog })),
);
const CreateNetworkDialog = lazy(() =>
  import('../screens/networks/create-network-dialog.tsx').then((module) => ({ default: module.CreateNetworkDialog })),
);
const ConnectDialog = lazy(() =>
  import('../screens/networks/connect-dialog.tsx').then((module) => ({ default: module.ConnectDialog })),
);
const ActivityDrawer = lazy(() =>
  import('../screens/activity/activity-drawer.tsx').then((module) => ({ default: module.ActivityDrawer })),
);
const loadPalette = () => import('../screens/palette/palette.tsx').then((module) => ({ default: module.Palette }));
const EditDialog = lazy(() =>
  import('../screens/container/edit-dialog.tsx').then((module) => ({ default: module.EditDialog })),
);
const FileDialog = lazy(() =>
  import('../screens/files/file-dialog.tsx').then((module) => ({ default: module.FileDialog })),
);
const Palette = lazy(loadPalette);
// Who opens the palette types on at once, and what is typed before it is there would be lost.
requestIdleCallback(() => void loadPalette());

const ShortcutsDialog = lazy(() =>
  import('../screens/palette/shortcuts-dialog.tsx').then((module) => ({ default: module.ShortcutsDialog })),
);

/** The one dialog that may be open. */
export function Dialogs() {
  const dialog = useDialog((state) => state.dialog);
  if (!dialog) return null;
  return <Suspense fallback={null}>{content(dialog)}</Suspense>;
}

function content(dialog: NonNullable<ReturnType<typeof useDialog.getState>['dialog']>) {
  switch (dialog.kind) {
    case 'pull':
      return <PullDialog key={dialog.taskId} dialog={dialog} />;
    case 'search-images':
      return <SearchDialog key={dialog.term} term={dialog.term ?? ''} />;
    case 'push':
      return <PushDialog key={dialog.taskId} dialog={dialog} />;
    case 'build':
      return <BuildDialog key={dialog.taskId} dialog={dialog} />;
    case 'run':
      return <RunDialog key={dialog.image} {...(dialog.image === undefined ? {} : { image: dialog.image })} />;
    case 'remove-containers':
      return <RemoveContainersDialog ids={dialog.ids} />;
    case 'remove-image':
      return <RemoveImageDialog id={dialog.id} />;
    case 'tag-image':
      return <TagDialog id={dialog.id} />;
    case 'prune-images':
      return <PruneImagesDialog />;
    case 'create-volume':
      return <CreateVolumeDialog />;
    case 'remove-volumes':
      return <RemoveVolumesDialog names={dialog.names} />;
    case 'prune-volumes':
      return <PruneVolumesDialog />;
    case 'create-network':
      return <CreateNetworkDialog />;
    case 'remove-networks':
      return <RemoveNetworksDialog {...(dialog.id === undefined ? {} : { id: dialog.id })} />;
    case 'connect-container':
      return <ConnectDialog id={dialog.id} />;
    case 'disconnect-container':
      return <DisconnectDialog id={dialog.id} containerId={dialog.containerId} />;
    case 'log-in':
      return <LoginDialog key={dialog.server} {...dialog} />;
    case 'browse-registry':
      return <BrowseDialog />;
    case 'remove-login':
      return <RemoveLoginDialog server={dialog.server} />;
    case 'activity':
      return <ActivityDrawer />;
    case 'clone-volume':
      return <CloneVolumeDialog name={dialog.name} />;
    case 'import-volume':
      return <ImportVolumeDialog file={dialog.file} />;
    case 'view-file':
      return <FileDialog key={dialog.path} {...dialog} />;
    case 'rename':
      return <RenameDialog id={dialog.id} />;
    case 'edit-container':
      return <EditDialog key={dialog.id} id={dialog.id} />;
    case 'stop-engine':
      return <StopEngineDialog restart={dialog.restart} />;
    case 'reset-engine':
      return <ResetDialog />;
    case 'shortcuts':
      return <ShortcutsDialog />;
    case 'palette':
      return <Palette />;
  }
}
