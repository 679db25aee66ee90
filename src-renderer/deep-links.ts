/** Follows a link into the window, as soon as what it names is known. */
import { useEffect } from 'react';
import type { DeepLink } from '../src-main/contract/deep-links.ts';
import { parseServer } from '../src-main/contract/registries.ts';
import { visibleText } from './format/unsafe-text.ts';
import { containerTabs, dropLink, navigate, useRoute, type Route } from './stores/navigation.ts';
import { useContainers, useImages, useNetworks, useVolumes } from './stores/objects.ts';
import { showToast } from './stores/toasts.ts';
import { useEngineReady } from './stores/vm.ts';

/** Right after the engine is ready the lists may still be on their way. */
const patienceMs = 4000;

export function useDeepLinks(): void {
  const link = useRoute((state) => state.link);
  const ready = useEngineReady();
  const containers = useContainers((state) => state.value);
  const images = useImages((state) => state.value);
  const volumes = useVolumes((state) => state.value);
  const networks = useNetworks((state) => state.value);
  const route = link && routeOf(link, { containers, images, volumes, networks });
  useEffect(() => {
    if (!route) return;
    dropLink();
    navigate(route);
  }, [route]);
  useEffect(() => {
    if (!link || !ready || !('name' in link)) return;
    const timer = setTimeout(() => {
      dropLink();
      navigate({ screen: link.noun });
      const one = link.noun === 'registries' ? 'registry' : link.noun.slice(0, -1);
      showToast({ tone: 'bad', title: `There is no ${one} named ${visibleText(link.name ?? '', 80)}` });
    }, patienceMs);
    return () => clearTimeout(timer);
  }, [link, ready]);
}

interface Lists {
  readonly containers: readonly { readonly id: string; readonly name: string }[] | undefined;
  readonly images: readonly { readonly id: string; readonly tags: readonly string[] }[] | undefined;
  readonly volumes: readonly { readonly name: string }[] | undefined;
  readonly networks: readonly { readonly id: string; readonly name: string }[] | undefined;
}

/** Undefined while the object is not known (yet). Names may be ids, or an image's name without `:latest`. */
function routeOf(link: DeepLink, lists: Lists): Route | undefined {
  if (!('name' in link)) return { screen: link.noun };
  const { noun, name, tab } = link;
  const isIt = (object: { readonly id: string; readonly name: string }) => object.name === name || object.id === name;
  switch (noun) {
    case 'containers': {
      const id = lists.containers?.find(isIt)?.id;
      return id === undefined
        ? undefined
        : { screen: 'container', id, tab: containerTabs.find((known) => known === tab) ?? 'logs' };
    }
    case 'networks': {
      const id = lists.networks?.find(isIt)?.id;
      return id === undefined ? undefined : { screen: 'network', id };
    }
    case 'images': {
      const names = [name, `${name}:latest`];
      const id = lists.images?.find((image) => image.id === name || image.tags.some((one) => names.includes(one)))?.id;
      return id === undefined ? undefined : { screen: 'image', id };
    }
    case 'registries': {
      const id = parseServer(name);
      return id === undefined ? undefined : { screen: 'registry', id };
    }
    case 'volumes':
      return lists.volumes?.some((volume) => volume.name === name) ? { screen: 'volume', id: name } : undefined;
  }
}
