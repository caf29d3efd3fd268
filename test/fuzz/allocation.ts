import { GCProfiler, getHeapStatistics } from "node:v8";

/** Everything that is allocated from here to `end`, kept or thrown away at once. */
export interface AllocationWatch {
  /** @returns bytes of objects, strings, arrays and maps together with those of buffers */
  readonly end: () => number;
}

/**
 * Counts what is allocated, not what is held when it ends: a collection on the way, which the profiler
 * tells of, hides nothing. What else the thread does meanwhile counts too.
 */
export function watchAllocation(): AllocationWatch {
  const requested = watchBuffers();
  const profiler = new GCProfiler();
  profiler.start();
  const start = getHeapStatistics();
  return {
    end: () => {
      const last = getHeapStatistics();
      const { statistics } = profiler.stop();
      const objects = new Growth(start.used_heap_size);
      const buffers = new Growth(start.external_memory);
      for (const { beforeGC, afterGC } of statistics) {
        objects.collected(
          beforeGC.heapStatistics.usedHeapSize,
          afterGC.heapStatistics.usedHeapSize,
        );
        buffers.collected(
          beforeGC.heapStatistics.externalMemory,
          afterGC.heapStatistics.externalMemory,
        );
      }
      // What buffers gave back between two collections is not told: those asked for by name are.
      const ofBuffers = Math.max(buffers.until(last.external_memory), requested.end());
      return objects.until(last.used_heap_size) + ofBuffers;
    },
  };
}

/** By how much a size grew, collections left out. */
class Growth {
  private sum = 0;

  constructor(private last: number) {}

  collected(before: number, after: number): void {
    this.sum += Math.max(0, before - this.last);
    this.last = after;
  }

  until(last: number): number {
    return this.sum + Math.max(0, last - this.last);
  }
}

/** The bytes that are asked for in buffers, which hold whatever a file's sizes make large. */
function watchBuffers(): { end: () => number } {
  const alloc = Buffer.alloc.bind(Buffer);
  let bytes = 0;
  Buffer.alloc = (size: number, ...fill: []) => {
    bytes += size;
    return alloc(size, ...fill);
  };
  return {
    end: () => {
      Buffer.alloc = alloc;
      return bytes;
    },
  };
}
