import { imageRecordsSuite } from '../../../../suites/image-records.ts';
import { MemoryImageRecords } from '../../../../helpers/memory-image-records.ts';

imageRecordsSuite('in memory', () => new MemoryImageRecords());
