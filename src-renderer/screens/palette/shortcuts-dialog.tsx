import { Dialog } from '../../components/dialog.tsx';
import { closeDialog } from '../../stores/dialogs.ts';

const groups: readonly { readonly title: string; readonly keys: readonly (readonly [string, readonly string[]])[] }[] =
  [
    {
      title: 'Everywhere',
      keys: [
        ['Command palette', ['Ctrl', 'K']],
        ['Containers', ['g', 'c']],
        ['Images', ['g', 'i']],
        ['Engine', ['g', 'e']],
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
    <Dialog title="Keyboard shortcuts" wide onClose={closeDialog}>
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
