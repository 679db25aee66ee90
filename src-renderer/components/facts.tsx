import { visibleText } from '../format/unsafe-text.ts';

export interface Fact {
  readonly name: string;
  /** Several lines are several values; empty facts are left out. */
  readonly value: string;
  readonly mono?: boolean;
}

const maxValue = 4000;

/** Names and values in two columns; values may be selected and wrap. */
export function Facts({ facts }: { facts: readonly Fact[] }) {
  return (
    <dl className="facts">
      {facts
        .filter(({ value }) => value !== '')
        .map(({ name, value, mono }) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd className={mono ? 'mono' : ''}>
              {value.split('\n').map((line, index) => (
                <bdi key={index} className="outside wrapped">
                  {visibleText(line, maxValue)}
                </bdi>
              ))}
            </dd>
          </div>
        ))}
    </dl>
  );
}
