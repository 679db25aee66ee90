/** What happened, as `docker events` tells it. Bounded: old events are forgotten, slow listeners are not waited for. */

export type EventType = 'container' | 'image' | 'volume' | 'network' | 'daemon';

export interface EngineEvent {
  readonly Type: EventType;
  readonly Action: string;
  readonly Actor: { readonly ID: string; readonly Attributes: Readonly<Record<string, string>> };
  readonly scope: 'local';
  /** Seconds and nanoseconds since 1970. */
  readonly time: number;
  readonly timeNano: number;
}

const maxHistory = 1024;

export class EventFeed {
  private readonly history: EngineEvent[] = [];
  private readonly listeners = new Set<(event: EngineEvent) => void>();

  publish(type: EventType, action: string, id: string, attributes: Readonly<Record<string, string>> = {}): void {
    const timeMs = Date.now();
    const event: EngineEvent = {
      Type: type,
      Action: action,
      Actor: { ID: id, Attributes: attributes },
      scope: 'local',
      time: Math.floor(timeMs / 1000),
      timeNano: timeMs * 1_000_000 + Number(process.hrtime.bigint() % 1_000_000n),
    };
    this.history.push(event);
    if (this.history.length > maxHistory) this.history.shift();
    for (const listener of this.listeners) listener(event);
  }

  get listenerCount(): number {
    return this.listeners.size;
  }

  /** Oldest first, from this time on (nanoseconds). */
  since(timeNano: number): EngineEvent[] {
    return this.history.filter((event) => event.timeNano >= timeNano);
  }

  /** Returns the function that ends it. */
  subscribe(listener: (event: EngineEvent) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}
