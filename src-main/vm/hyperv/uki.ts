/**
 * A unified kernel image: Hyper-V boots no kernel directly, so kernel, initramfs and command line are made one EFI program
 * by adding them as sections to systemd's EFI stub (systemd-stub(7), PE/COFF specification).
 */
import { AppError } from '../../contract/errors.ts';

export interface UnifiedKernelParts {
  /** `linuxx64.efi.stub` or `linuxaa64.efi.stub`. */
  readonly stub: Buffer;
  readonly kernel: Buffer;
  readonly initramfs: Buffer;
  readonly commandLine: string;
}

const sectionHeaderBytes = 40;
/** Initialised data, readable. */
const characteristics = 0x4000_0040;

/** Offsets within the COFF and the optional header (PE32+), from the PE signature. */
const coff = { sectionCount: 6, optionalHeaderSize: 20, optionalHeader: 24 } as const;
const optional = {
  magic: 0,
  sectionAlignment: 32,
  fileAlignment: 36,
  imageSize: 56,
  headersSize: 60,
  checksum: 64,
} as const;

export function unifiedKernel(parts: UnifiedKernelParts): Buffer {
  const sections: readonly (readonly [name: string, data: Buffer])[] = [
    ['.cmdline', Buffer.from(`${parts.commandLine}\0`, 'utf8')],
    ['.initrd', parts.initramfs],
    // Last: the stub unpacks the kernel beyond its end.
    ['.linux', parts.kernel],
  ];
  return addSections(parts.stub, sections);
}

function addSections(stub: Buffer, sections: readonly (readonly [name: string, data: Buffer])[]): Buffer {
  const pe = stub.length > 64 ? stub.readUInt32LE(0x3c) : 0;
  if (stub.toString('latin1', pe, pe + 4) !== 'PE\0\0') throw malformed('it is no EFI program');
  const header = pe + coff.optionalHeader;
  if (stub.readUInt16LE(header + optional.magic) !== 0x20b) throw malformed('it is not a 64-bit program');
  const memoryAlignment = stub.readUInt32LE(header + optional.sectionAlignment);
  const fileAlignment = stub.readUInt32LE(header + optional.fileAlignment);
  const count = stub.readUInt16LE(pe + coff.sectionCount);
  const table = header + stub.readUInt16LE(pe + coff.optionalHeaderSize);
  const tableEnd = table + (count + sections.length) * sectionHeaderBytes;
  if (tableEnd > stub.readUInt32LE(header + optional.headersSize))
    throw malformed('its header has no room for more sections');

  const head = Buffer.from(stub);
  let address = align(stub.readUInt32LE(header + optional.imageSize), memoryAlignment);
  let offset = align(stub.length, fileAlignment);
  const body: Buffer[] = [Buffer.alloc(offset - stub.length)];
  sections.forEach(([name, data], index) => {
    const at = table + (count + index) * sectionHeaderBytes;
    const fileSize = align(data.length, fileAlignment);
    head.fill(0, at, at + sectionHeaderBytes);
    head.write(name, at, 8, 'latin1');
    head.writeUInt32LE(data.length, at + 8);
    head.writeUInt32LE(address, at + 12);
    head.writeUInt32LE(fileSize, at + 16);
    head.writeUInt32LE(offset, at + 20);
    head.writeUInt32LE(characteristics, at + 36);
    body.push(data, Buffer.alloc(fileSize - data.length));
    address = align(address + data.length, memoryAlignment);
    offset += fileSize;
  });
  head.writeUInt16LE(count + sections.length, pe + coff.sectionCount);
  head.writeUInt32LE(address, header + optional.imageSize);
  // Firmware does not check it for applications; a stale one would only mislead.
  head.writeUInt32LE(0, header + optional.checksum);
  return Buffer.concat([head, ...body]);
}

function align(value: number, to: number): number {
  return Math.ceil(value / to) * to;
}

function malformed(reason: string): AppError {
  return new AppError('image-missing', `build the boot disk: the EFI stub cannot be used: ${reason}`, {
    hint: 'Build the guest image again: npm run image.',
  });
}
