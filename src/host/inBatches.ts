/** Many small pieces of work on files, without one long turn for all of them. */

/** How many are begun at once: their beginnings and ends take a few milliseconds together. */
const batchSize = 64;

/** Maps all items, those of one batch at the same time and one batch after the other. */
export async function mapInBatches<Item, Mapped>(
  items: readonly Item[],
  map: (item: Item) => Promise<Mapped>,
): Promise<Mapped[]> {
  const mapped: Mapped[] = [];
  for (let from = 0; from < items.length; from += batchSize) {
    mapped.push(...(await Promise.all(items.slice(from, from + batchSize).map(map))));
  }
  return mapped;
}
