import { defaultRegistry, parseServer } from '../../../src-main/contract/registries.ts';
import { serverProblem } from '../../actions/registries.ts';
import { Dialog } from '../../components/dialog.tsx';
import { closeDialog } from '../../stores/dialogs.ts';
import { navigate } from '../../stores/navigation.ts';
import { NameForm } from './name-form.tsx';

/** Any registry, with a login or without. */
export function BrowseDialog() {
  return (
    <Dialog title="Browse a registry" description="Its repositories and tags, where it tells." onClose={closeDialog}>
      <NameForm
        label="Registry"
        placeholder="registry.example:5000"
        action="Browse"
        check={serverProblem}
        onName={(name) => {
          closeDialog();
          navigate({ screen: 'registry', id: parseServer(name) ?? defaultRegistry });
        }}
      />
    </Dialog>
  );
}
