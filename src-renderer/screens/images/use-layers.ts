import { useCallback, useEffect, useRef, useState } from 'react';
import type { LayerHitsView, LayersView } from '../../../src-main/contract/layers.ts';
import { host } from '../../bridge.ts';
import { useRead, type Read } from '../../components/use-read.ts';
import { errorText } from '../../stores/follow-stream.ts';
import { useEngineReady } from '../../stores/vm.ts';
import type { FolderAnswer } from './layer-rows.ts';

/** A search reads all layers: not for each letter. */
const standsStillMs = 300;

export function useComparedLayers(id: string): Read<LayersView> {
  return useRead(useCallback((signal) => host.call('images.layers', { id }, signal), [id]));
}

export interface LayerFolders {
  readonly answerOf: (layer: number, path: string) => FolderAnswer | undefined;
  /** Reads it unless it was read: layers never change. What failed is tried again. */
  readonly want: (layer: number, path: string) => void;
}

/** The folders of an image's layers that were looked at, for as long as its page is open. */
export function useLayerFolders(id: string): LayerFolders {
  const ready = useEngineReady();
  const [answers, setAnswers] = useState<ReadonlyMap<string, FolderAnswer>>(new Map());
  const asked = useRef(new Set<string>());
  const [abort] = useState(() => new AbortController());
  useEffect(() => () => abort.abort(), [abort]);
  const want = useCallback(
    (layer: number, path: string) => {
      const key = `${layer}:${path}`;
      if (!ready || asked.current.has(key)) return;
      asked.current.add(key);
      const tell = (answer: FolderAnswer) => setAnswers((before) => new Map(before).set(key, answer));
      host.call('images.layerFolder', { id, layer, path }, abort.signal).then(
        (value) => tell({ value }),
        (error: unknown) => {
          if (abort.signal.aborted) return;
          asked.current.delete(key);
          tell({ problem: errorText(error) });
        },
      );
    },
    [id, ready, abort],
  );
  const answerOf = useCallback((layer: number, path: string) => answers.get(`${layer}:${path}`), [answers]);
  return { answerOf, want };
}

interface Search {
  /** Absent while it is on its way. */
  readonly value?: LayerHitsView;
  readonly problem?: string;
}

/** Undefined while there is nothing to look for. */
export function useLayerSearch(id: string, query: string): Search | undefined {
  const text = query.trim();
  const ready = useEngineReady();
  const [found, setFound] = useState<Search & { readonly text: string }>({ text: '' });
  useEffect(() => {
    if (text === '' || !ready) return;
    const abort = new AbortController();
    const timer = setTimeout(() => {
      host.call('images.searchLayers', { id, text }, abort.signal).then(
        (value) => setFound({ text, value }),
        (error: unknown) => {
          if (!abort.signal.aborted) setFound({ text, problem: errorText(error) });
        },
      );
    }, standsStillMs);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [id, text, ready]);
  if (text === '') return undefined;
  return found.text === text ? found : {};
}
