/** The engine's objects as the host last told them. */
import { createTopicStore } from './topic-store.ts';

export const useContainers = createTopicStore('containers');
export const useImages = createTopicStore('images');
export const useVolumes = createTopicStore('volumes');
export const useNetworks = createTopicStore('networks');
export const useRegistries = createTopicStore('registries');
export const useTerminals = createTopicStore('terminals');
