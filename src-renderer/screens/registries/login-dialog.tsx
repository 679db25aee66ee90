import { useEffect, useRef, useState, type SubmitEvent } from 'react';
import { AppError } from '../../../src-main/contract/errors.ts';
import { defaultRegistry } from '../../../src-main/contract/registries.ts';
import { noteTest, serverProblem } from '../../actions/registries.ts';
import { host } from '../../bridge.ts';
import { Button } from '../../components/button.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { Field } from '../../components/field.tsx';
import { Notice } from '../../components/notice.tsx';
import { closeDialog } from '../../stores/dialogs.ts';
import { errorText } from '../../stores/follow-stream.ts';
import { useRegistries } from '../../stores/objects.ts';
import { navigate } from '../../stores/navigation.ts';
import { useEngineReady } from '../../stores/vm.ts';
import { KeptIn } from './kept-in.tsx';

interface LoginDialogProps {
  readonly server?: string;
  readonly username?: string;
}

/** The registry is asked first; what it refuses is not kept. Closing the dialog meanwhile keeps nothing. */
export function LoginDialog(given: LoginDialogProps) {
  const [server, setServer] = useState(given.server === defaultRegistry ? '' : (given.server ?? ''));
  const [username, setUsername] = useState(given.username ?? '');
  const [secret, setSecret] = useState('');
  const [touched, setTouched] = useState(false);
  const { busy, refusal, ask } = useLogin();
  const ready = useEngineReady();
  const keeps = useRegistries((state) => state.value?.keeps);
  const wrongServer = serverProblem(server);
  const problems = {
    ...(wrongServer === undefined ? {} : { server: wrongServer }),
    ...(secret === '' ? { secret: 'Type the password or an access token.' } : {}),
  };
  const shown = touched ? problems : {};
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    setTouched(true);
    if (Object.keys(problems).length === 0) ask({ server, username, secret });
  };
  return (
    <Dialog title="Log in to a registry" onClose={closeDialog}>
      <form className="stack" onSubmit={submit} noValidate>
        {refusal === undefined ? null : (
          <Notice tone="bad">
            <p>{refusal}</p>
          </Notice>
        )}
        <Field
          label="Registry"
          hint="As in front of an image’s name. Empty: Docker Hub."
          {...(shown.server === undefined ? {} : { problem: shown.server })}
        >
          {(props) => (
            <input
              {...props}
              className="input mono"
              value={server}
              placeholder="registry.example:5000"
              spellCheck={false}
              autoComplete="off"
              autoCapitalize="none"
              readOnly={given.server !== undefined}
              onChange={(event) => setServer(event.target.value)}
            />
          )}
        </Field>
        <Field label="User name" hint="Empty for a token that is sent as it is.">
          {(props) => (
            <input
              {...props}
              className="input"
              value={username}
              spellCheck={false}
              autoComplete="off"
              autoCapitalize="none"
              onChange={(event) => setUsername(event.target.value)}
            />
          )}
        </Field>
        <Field label="Password or access token" {...(shown.secret === undefined ? {} : { problem: shown.secret })}>
          {(props) => (
            <input
              {...props}
              className="input"
              type="password"
              value={secret}
              autoComplete="off"
              onChange={(event) => setSecret(event.target.value)}
            />
          )}
        </Field>
        {keeps === undefined ? null : <KeptIn keeps={keeps} />}
        <div className="form-end">
          <Button onClick={closeDialog}>Cancel</Button>
          <Button tone="primary" type="submit" busy={busy} disabled={!ready}>
            Log in
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

/** One question at a time, given up when the dialog closes. */
function useLogin() {
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<string>();
  const asking = useRef<AbortController>(undefined);
  useEffect(() => () => asking.current?.abort(), []);
  const ask = (input: { server: string; username: string; secret: string }) => {
    const abort = new AbortController();
    asking.current = abort;
    setBusy(true);
    setRefusal(undefined);
    host
      .call('registries.login', input, abort.signal)
      .then(({ server }) => {
        noteTest(server, { state: 'good' });
        closeDialog();
        navigate({ screen: 'registries' });
      })
      .catch((error: unknown) => {
        if (!(error instanceof AppError && error.code === 'cancelled')) setRefusal(errorText(error));
      })
      .finally(() => setBusy(false));
  };
  return { busy, refusal, ask };
}
