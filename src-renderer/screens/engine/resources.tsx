import { useState } from 'react';
import type { Settings, VmSettings } from '../../../src-main/contract/vm.ts';
import { Field } from '../../components/field.tsx';
import { SkeletonRows } from '../../components/skeleton-rows.tsx';
import { useSettings, useVm } from '../../stores/vm.ts';
import { SettingsForm } from './settings-form.tsx';

/** What the virtual machine may use. */
export function Resources() {
  const settings = useSettings((state) => state.value);
  if (!settings) return <SkeletonRows count={3} />;
  // A new form when the settings change elsewhere, or were saved.
  return <ResourcesForm key={JSON.stringify(settings.vm)} settings={settings} />;
}

interface Typed {
  readonly cpus: string;
  readonly memoryGiB: string;
  readonly diskGiB: string;
  readonly accelerator: VmSettings['accelerator'];
  readonly backend: VmSettings['backend'];
}

function ResourcesForm({ settings }: { settings: Settings }) {
  const [typed, setTyped] = useState<Typed>(() => typedFrom(settings.vm));
  const problems = findProblems(typed, settings.vm);
  const changed = JSON.stringify(typed) !== JSON.stringify(typedFrom(settings.vm));
  const change = (values: Partial<Typed>) => setTyped((before) => ({ ...before, ...values }));
  return (
    <SettingsForm
      title="Resources"
      isChanged={changed}
      isValid={Object.keys(problems).length === 0}
      next={() => ({ ...settings, vm: vmFrom(typed) })}
      onUndo={() => setTyped(typedFrom(settings.vm))}
    >
      <div className="triple">
        <NumberField
          label="CPUs"
          unit=""
          value={typed.cpus}
          problem={problems.cpus}
          onChange={(cpus) => change({ cpus })}
        />
        <NumberField
          label="Memory"
          unit="GiB"
          value={typed.memoryGiB}
          problem={problems.memoryGiB}
          onChange={(memoryGiB) => change({ memoryGiB })}
        />
        <NumberField
          label="Disk"
          unit="GiB"
          value={typed.diskGiB}
          problem={problems.diskGiB}
          hint="It can grow, not shrink, and takes room only as it fills."
          onChange={(diskGiB) => change({ diskGiB })}
        />
      </div>
      <div className="pair">
        <Field label="Accelerator" hint={<InUse />}>
          {(props) => (
            <select
              {...props}
              className="select"
              value={typed.accelerator}
              onChange={(event) => change({ accelerator: event.target.value as Typed['accelerator'] })}
            >
              <option value="auto">Best available</option>
              <option value="kvm">KVM (Linux)</option>
              <option value="hvf">Hypervisor.framework (macOS)</option>
              <option value="whpx">Windows Hypervisor Platform</option>
              <option value="tcg">None: emulate (slow)</option>
            </select>
          )}
        </Field>
        <Field label="Virtual machine">
          {(props) => (
            <select
              {...props}
              className="select"
              value={typed.backend}
              onChange={(event) => change({ backend: event.target.value as Typed['backend'] })}
            >
              <option value="auto">Best available</option>
              <option value="qemu">QEMU</option>
              <option value="hyperv">Hyper-V (Windows)</option>
            </select>
          )}
        </Field>
      </div>
    </SettingsForm>
  );
}

function InUse() {
  const backend = useVm((state) => state.value?.backend);
  return (
    <>{backend ? `In use: ${backend.accelerator} (${backend.kind} ${backend.version})` : 'Nothing is running yet.'}</>
  );
}

interface NumberFieldProps {
  readonly label: string;
  readonly unit: string;
  readonly value: string;
  readonly hint?: string;
  readonly problem: string | undefined;
  readonly onChange: (value: string) => void;
}

function NumberField({ label, unit, value, hint, problem, onChange }: NumberFieldProps) {
  return (
    <Field label={label} {...(hint === undefined ? {} : { hint })} {...(problem === undefined ? {} : { problem })}>
      {(props) => (
        <span className="with-unit">
          <input
            {...props}
            className="input"
            inputMode="decimal"
            value={value}
            autoComplete="off"
            onChange={(event) => onChange(event.target.value)}
          />
          <span className="unit">{unit}</span>
        </span>
      )}
    </Field>
  );
}

function typedFrom(vm: VmSettings): Typed {
  return {
    cpus: String(vm.cpus),
    memoryGiB: String(Number((vm.memoryMiB / 1024).toFixed(2))),
    diskGiB: String(vm.diskGiB),
    accelerator: vm.accelerator,
    backend: vm.backend,
  };
}

function vmFrom(typed: Typed): VmSettings {
  return {
    cpus: Number(typed.cpus),
    memoryMiB: Math.round(Number(typed.memoryGiB) * 1024),
    diskGiB: Number(typed.diskGiB),
    accelerator: typed.accelerator,
    backend: typed.backend,
  };
}

/** What can be told here; the host knows this machine's bounds and refuses the rest with a reason. */
function findProblems(typed: Typed, before: VmSettings): { cpus?: string; memoryGiB?: string; diskGiB?: string } {
  const cpus = Number(typed.cpus);
  const memory = Number(typed.memoryGiB);
  const disk = Number(typed.diskGiB);
  return {
    ...(Number.isInteger(cpus) && cpus >= 1 ? {} : { cpus: 'A whole number, at least 1.' }),
    ...(memory >= 0.25 ? {} : { memoryGiB: 'At least 0.25 GiB.' }),
    ...(!Number.isInteger(disk) || disk < 1
      ? { diskGiB: 'A whole number of GiB.' }
      : disk < before.diskGiB
        ? { diskGiB: `It cannot shrink below ${before.diskGiB} GiB.` }
        : {}),
  };
}
