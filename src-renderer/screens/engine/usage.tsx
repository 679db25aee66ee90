import { useEffect, useState } from 'react';
import type { VmUsage } from '../../../src-main/contract/vm.ts';
import { host } from '../../bridge.ts';
import { formatBytes } from '../../format/quantities.ts';

const everyMs = 5000;

/** What the virtual machine holds of this computer now. */
export function Usage() {
  const usage = useUsage();
  if (!usage) return null;
  const { disk, memory } = usage;
  return (
    <section aria-label="Usage">
      <h2>On this computer</h2>
      <div className="held-usage">
        <Meter label="Disk" held={disk.heldBytes} used={disk.usedBytes} limit={disk.limitBytes} />
        <p className="quiet">{diskWords(disk)}</p>
        <Meter label="Memory" held={memory.heldBytes ?? 0} used={undefined} limit={memory.limitBytes} />
        <p className="quiet">
          {memory.heldBytes === undefined
            ? `Up to ${formatBytes(memory.limitBytes)} while it runs.`
            : 'What containers do not use goes back to this computer by itself.'}
        </p>
      </div>
    </section>
  );
}

interface MeterProps {
  readonly label: string;
  readonly held: number;
  readonly used: number | undefined;
  readonly limit: number;
}

function Meter({ label, held, used, limit }: MeterProps) {
  const share = (bytes: number) => Math.min(1, bytes / limit);
  const words = `${formatBytes(held)} of ${formatBytes(limit)}`;
  return (
    <div>
      <div className="usage-head">
        <span>{label}</span>
        <span className="quiet">{words}</span>
      </div>
      <div
        className="usage-bar"
        role="meter"
        aria-label={label}
        aria-valuemin={0}
        aria-valuemax={limit}
        aria-valuenow={Math.min(held, limit)}
        aria-valuetext={words}
      >
        <span className="held" style={{ transform: `scaleX(${share(held)})` }} />
        {used === undefined ? null : (
          <span className="used" style={{ transform: `scaleX(${share(Math.min(used, held))})` }} />
        )}
      </div>
    </div>
  );
}

/** The file also holds what the guest has freed and not yet given back. */
function diskWords({ heldBytes, usedBytes, limitBytes }: VmUsage['disk']): string {
  if (usedBytes === undefined) return `It takes room as it fills, up to ${formatBytes(limitBytes)}.`;
  const returnable = Math.max(0, heldBytes - usedBytes);
  return `${formatBytes(usedBytes)} in use by images, containers and volumes; ${formatBytes(returnable)} can be given back.`;
}

/** Asked again every few seconds while it is in sight. */
function useUsage(): VmUsage | undefined {
  const [usage, setUsage] = useState<VmUsage>();
  useEffect(() => {
    const abort = new AbortController();
    const ask = () => {
      if (!document.hidden) host.call('vm.usage', {}, abort.signal).then(setUsage, () => undefined);
    };
    ask();
    const timer = setInterval(ask, everyMs);
    return () => {
      abort.abort();
      clearInterval(timer);
    };
  }, []);
  return usage;
}
