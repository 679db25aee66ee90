/** Small answers, whole and bounded. */
import { EngineError } from '../../contract/errors.ts';
import type { HttpAnswer, Transport } from './transport.ts';

export async function readAll(
  transport: Transport,
  answer: HttpAnswer,
  maxBytes: number,
  signal: AbortSignal,
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of transport.chunks(answer, signal)) {
    length += chunk.length;
    if (length > maxBytes) {
      throw new EngineError('system', `${answer.url.host} sent more than the ${maxBytes} bytes allowed`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
