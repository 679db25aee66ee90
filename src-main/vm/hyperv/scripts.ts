/**
 * The PowerShell that drives Hyper-V, as pure functions. Each script prints one JSON value where it prints anything;
 * `parse.ts` reads it. Values enter only through {@link quote} and {@link whole}.
 */
import { quote, whole } from './powershell.ts';

/** The switch with NAT and DHCP that every Windows client edition makes by itself. */
const switchName = 'Default Switch';

export function probeScript(): string {
  return [
    'Import-Module Hyper-V',
    '$vmHost = Get-VMHost',
    `$switch = Get-VMSwitch -Name ${quote(switchName)} -ErrorAction SilentlyContinue`,
    '$version = [string](Get-Module Hyper-V).Version',
    '[pscustomobject]@{ version = $version; processors = [int]$vmHost.LogicalProcessorCount; hasSwitch = [bool]$switch } | ConvertTo-Json -Compress',
  ].join('\n');
}

/** Creates the data disk, or grows it; prints `{ created, grown, sizeBytes }`. */
export function prepareDiskScript(file: string, sizeBytes: number): string {
  return [
    `$file = ${quote(file)}`,
    `$wanted = [uint64]${whole(sizeBytes)}`,
    '$created = $false; $grown = $false',
    'if (-not (Test-Path -LiteralPath $file)) {',
    '  New-VHD -Path $file -Dynamic -SizeBytes $wanted | Out-Null',
    '  $created = $true',
    '} elseif ((Get-VHD -Path $file).Size -lt $wanted) {',
    '  Resize-VHD -Path $file -SizeBytes $wanted',
    '  $grown = $true',
    '}',
    '[pscustomobject]@{ created = $created; grown = $grown; sizeBytes = [uint64](Get-VHD -Path $file).Size } | ConvertTo-Json -Compress',
  ].join('\n');
}

/** Turns a VHD into the VHDX that generation 2 machines take. */
export function convertDiskScript(vhd: string, vhdx: string): string {
  return [
    `$target = ${quote(vhdx)}`,
    'if (Test-Path -LiteralPath $target) { Remove-Item -LiteralPath $target -Force }',
    `Convert-VHD -Path ${quote(vhd)} -DestinationPath $target -VHDType Dynamic`,
    `Remove-Item -LiteralPath ${quote(vhd)} -Force`,
  ].join('\n');
}

export interface HyperVMachine {
  readonly name: string;
  readonly cpus: number;
  readonly memoryMiB: number;
  /** Holds the machine's configuration. */
  readonly folder: string;
  /** The first one is booted from. All VHDX. */
  readonly disks: readonly string[];
  /** Name of the pipe for the first serial port, without `\\.\pipe\`. */
  readonly consolePipe: string;
}

/**
 * Makes the machine anew and starts it. A machine of that name that is off is removed first (its disks stay); one that
 * runs is an error. Prints `{ id }`.
 */
export function startScript(machine: HyperVMachine): string {
  const memory = `([uint64]${whole(machine.memoryMiB)} * 1MB)`;
  return [
    `$name = ${quote(machine.name)}`,
    '$old = Get-VM -Name $name -ErrorAction SilentlyContinue',
    'if ($old) { if ($old.State -ne \'Off\') { throw "a virtual machine named $name is already running" }; Remove-VM -VM $old -Force }',
    `$vm = New-VM -Name $name -Generation 2 -MemoryStartupBytes ${memory} -NoVHD -Path ${quote(machine.folder)} -SwitchName ${quote(switchName)}`,
    'try {',
    `  Set-VMProcessor -VM $vm -Count ${whole(machine.cpus)}`,
    '  Set-VMMemory -VM $vm -DynamicMemoryEnabled $false',
    '  Set-VM -VM $vm -AutomaticStartAction Nothing -AutomaticStopAction ShutDown -AutomaticCheckpointsEnabled $false -CheckpointType Disabled',
    ...machine.disks.map((disk) => `  Add-VMHardDiskDrive -VM $vm -ControllerType SCSI -Path ${quote(disk)}`),
    // The kernel is Debian's but the program around it is unsigned.
    '  $boot = Get-VMHardDiskDrive -VM $vm | Select-Object -First 1',
    '  Set-VMFirmware -VM $vm -EnableSecureBoot Off -FirstBootDevice $boot',
    `  Set-VMComPort -VM $vm -Number 1 -Path ${quote(`\\\\.\\pipe\\${machine.consolePipe}`)}`,
    '  Start-VM -VM $vm',
    '} catch {',
    '  Remove-VM -VM $vm -Force -ErrorAction SilentlyContinue',
    '  throw',
    '}',
    '[pscustomobject]@{ id = [string]$vm.Id } | ConvertTo-Json -Compress',
  ].join('\n');
}

/**
 * Prints `{ state, addresses, worker }`: the state's name or `Missing`; IPv4 addresses as the guest tells them or as the
 * switch's neighbours show them by the adapter's MAC; the worker process's id, 0 when there is none.
 */
export function statusScript(name: string): string {
  return [
    `$vm = Get-VM -Name ${quote(name)} -ErrorAction SilentlyContinue`,
    "if (-not $vm) { [pscustomobject]@{ state = 'Missing'; addresses = @(); worker = 0 } | ConvertTo-Json -Compress; return }",
    '$adapter = Get-VMNetworkAdapter -VM $vm | Select-Object -First 1',
    "$mac = ($adapter.MacAddress -replace '(..)(?!$)', '$1-')",
    '$told = @($adapter.IPAddresses)',
    '$seen = @(Get-NetNeighbor -AddressFamily IPv4 -LinkLayerAddress $mac -ErrorAction SilentlyContinue | ForEach-Object { $_.IPAddress })',
    "$addresses = @(($told + $seen) | Where-Object { $_ -match '^\\d+\\.\\d+\\.\\d+\\.\\d+$' } | Select-Object -Unique)",
    '$filter = "Name = \'vmwp.exe\'"',
    '$worker = Get-CimInstance Win32_Process -Filter $filter | Where-Object { $_.CommandLine -like "*$($vm.Id)*" } | Select-Object -First 1',
    '[pscustomobject]@{ state = [string]$vm.State; addresses = $addresses; worker = [int]$worker.ProcessId } | ConvertTo-Json -Compress',
  ].join('\n');
}

/** Asks the guest through its shutdown service, as the button on the case would. */
export function powerButtonScript(name: string): string {
  return `Stop-VM -Name ${quote(name)} -Force`;
}

/** Ends the machine at once. One that is off already, or gone, is no error. */
export function killScript(name: string): string {
  return [
    `$vm = Get-VM -Name ${quote(name)} -ErrorAction SilentlyContinue`,
    "if ($vm -and $vm.State -ne 'Off') { Stop-VM -VM $vm -TurnOff -Force }",
  ].join('\n');
}
