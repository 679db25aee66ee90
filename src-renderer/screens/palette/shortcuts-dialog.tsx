import { Dialog } from '../../components/dialog.tsx';
import { placeKeys } from '../../global-keys.ts';
import { closeDialog } from '../../stores/dialogs.ts';

const groups: readonly { readonly title: string; readonly keys: readonly (readonly [string, readonly string[]])[] }[] =
  [
    {
      title: 'Everywhere',
      keys: [
        ['Command palette', ['Ctrl', 'K']],
        ['Containers', ['g', placeKeys.containers]],
        ['Images', ['g', placeKeys.images]],
        ['Volumes', ['g', placeKeys.volumes]],
        ['Networks', ['g', placeKeys.networks]],
        ['Registries', ['g', placeKeys.registries]],
        ['Logs', ['g', placeKeys.logs]],
        ['Events', ['g', placeKeys.events]],
        ['Engine', ['g', placeKeys.engine]],
        ['Activity', ['g', 'a']],
        ['Back and forward', ['Alt', '←', '→']],
        ['Filter or search', ['/']],
        ['These shortcuts', ['?']],
      ],
    },
    {
      title: 'In lists',
      keys: [
        ['Down and up', ['j', 'k']],
        ['Open', ['Enter']],
        ['Select', ['x']],
        ['Remove', ['Del']],
      ],
    },
    {
      title: 'On a container',
      keys: [
        ['Start or stop', ['s']],
        ['Restart', ['r']],
        ['Pause or resume', ['p']],
        ['Logs', ['l']],
        ['Terminal', ['t']],
        ['Inspect', ['i']],
      ],
    },
    {
      title: 'On an image',
      keys: [
        ['Run', ['Shift', 'R']],
        ['Add a name', ['t']],
      ],
    },
    {
      title: 'On a registry',
      keys: [['Test the login', ['t']]],
    },
    {
      title: 'In terminals',
      keys: [
        ['Copy', ['Ctrl', 'Shift', 'C']],
        ['Paste', ['Ctrl', 'Shift', 'V']],
        ['Search', ['Ctrl', 'Shift', 'F']],
      ],
    },
  ];

export function ShortcutsDialog() {
  return (
    <Dialog title="Keyboard shortcuts" wide reading onClose={closeDialog}>
      <div className="shortcut-groups">
        {groups.map(({ title, keys }) => (
          <div key={title}>
            <h3>{title}</h3>
            <dl>
              {keys.map(([name, strokes]) => (
                <div key={name}>
                  <dt>{name}</dt>
                  <dd>
                    {strokes.map((stroke) => (
                      <kbd key={stroke}>{stroke}</kbd>
                    ))}
                  </dd>
                </div>
              ))}
            </dl>
          </div>
        ))}
      </div>
    </Dialog>
  );
}
