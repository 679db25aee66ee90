import { actOnEngine } from '../../actions/engine.ts';
import { ConfirmDialog } from '../../components/dialog.tsx';
import { formatCount } from '../../format/quantities.ts';
import { closeDialog } from '../../stores/dialogs.ts';
import { useContainers } from '../../stores/objects.ts';

/** Stopping the engine stops containers; the question says how many. */
export function StopEngineDialog({ restart }: { restart: boolean }) {
  const running = useContainers((state) => state.value?.filter((view) => view.state === 'running').length ?? 0);
  return (
    <ConfirmDialog
      title={restart ? 'Restart the engine?' : 'Stop the engine?'}
      confirm={restart ? 'Restart' : 'Stop'}
      danger={running > 0}
      onClose={closeDialog}
      onConfirm={() => {
        closeDialog();
        void actOnEngine(restart ? 'restart' : 'stop');
      }}
    >
      <p>
        {running === 0
          ? 'No container is running. '
          : `${formatCount(running, 'running container stops', 'running containers stop')} with it. `}
        {restart
          ? 'Containers with a restart policy come back by themselves.'
          : 'Images, containers and volumes stay where they are.'}
      </p>
    </ConfirmDialog>
  );
}
