/** The certificate authorities that the user's machine trusts beyond the usual ones (a company's proxy, a home registry). */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { rootCertificates } from 'node:tls';

/** A seed entry may hold 1 MiB. */
const limitBytes = 1000 * 1000;
const linuxBundles = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
];
const windowsScript =
  "Get-ChildItem Cert:\\LocalMachine\\Root,Cert:\\CurrentUser\\Root | ForEach-Object { '-----BEGIN CERTIFICATE-----'; " +
  "[Convert]::ToBase64String($_.RawData,'InsertLineBreaks'); '-----END CERTIFICATE-----' }";

/** As PEM, without those the guest's Node has anyway; undefined when there are none. Never fails: the VM works without. */
export async function extraCertificates(
  env: NodeJS.ProcessEnv = process.env,
  platform: NodeJS.Platform = process.platform,
): Promise<string | undefined> {
  const files = [env['NODE_EXTRA_CA_CERTS'], env['SSL_CERT_FILE'], ...(platform === 'linux' ? linuxBundles : [])];
  const texts = await Promise.all(
    files
      .filter((file) => file !== undefined && file !== '')
      .map((file) => readFile(file as string, 'utf8').catch(() => '')),
  );
  texts.push(await fromStore(platform));
  return onlyExtra(texts.join('\n'));
}

/** Each certificate once, without Mozilla's own list, which Node carries. */
export function onlyExtra(text: string): string | undefined {
  const usual = new Set(rootCertificates.map(compact));
  const extra = new Map<string, string>();
  for (const [pem] of text.matchAll(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g)) {
    const key = compact(pem);
    if (!usual.has(key)) extra.set(key, pem);
  }
  const bundle = [...extra.values()].join('\n');
  if (bundle === '' || bundle.length > limitBytes) return undefined;
  return `${bundle}\n`;
}

function compact(pem: string): string {
  return pem.replaceAll(/-----[A-Z ]+-----|\s/g, '');
}

async function fromStore(platform: NodeJS.Platform): Promise<string> {
  const run = promisify(execFile);
  const options = { timeout: 10_000, maxBuffer: 16 * 1024 * 1024, windowsHide: true };
  try {
    if (platform === 'darwin') {
      return (await run('security', ['find-certificate', '-a', '-p', '/Library/Keychains/System.keychain'], options))
        .stdout;
    }
    if (platform === 'win32')
      return (await run('powershell.exe', ['-NoProfile', '-Command', windowsScript], options)).stdout;
  } catch {
    // Without the store the VM still works with public registries.
  }
  return '';
}
