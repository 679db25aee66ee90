/** The window's colours in xterm's words, read from the style sheet so that both have one source. */
import type { ITheme } from '@xterm/xterm';
import type { TerminalSettings } from '../../src-main/contract/vm.ts';

const names = [
  'black',
  'red',
  'green',
  'yellow',
  'blue',
  'magenta',
  'cyan',
  'white',
  'brightBlack',
  'brightRed',
  'brightGreen',
  'brightYellow',
  'brightBlue',
  'brightMagenta',
  'brightCyan',
  'brightWhite',
] as const;

export function readPalette(theme: TerminalSettings['theme']): ITheme {
  const probe = document.createElement('span');
  // Where terminals are shown, so that what holds for them holds here.
  probe.className = 'terminal-place';
  probe.dataset['theme'] = theme;
  probe.hidden = true;
  document.body.append(probe);
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  // xterm takes sRGB only: a pixel painted with the colour says what that is.
  const read = (value: string): string => {
    probe.style.color = value;
    const color = getComputedStyle(probe).color;
    if (!canvas) return color;
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    const [red = 0, green = 0, blue = 0, alpha = 255] = canvas.getImageData(0, 0, 1, 1).data;
    return `rgba(${red}, ${green}, ${blue}, ${alpha / 255})`;
  };
  const palette: ITheme = {
    background: read('var(--well)'),
    foreground: read('var(--ink)'),
    cursor: read('var(--tide)'),
    cursorAccent: read('var(--well)'),
    selectionBackground: read('var(--selection)'),
    scrollbarSliderBackground: read('var(--line)'),
    scrollbarSliderHoverBackground: read('var(--line-strong)'),
    scrollbarSliderActiveBackground: read('var(--line-strong)'),
    overviewRulerBorder: read('transparent'),
    ...Object.fromEntries(names.map((name, index) => [name, read(`var(--ansi-${index})`)])),
  };
  probe.remove();
  return palette;
}
