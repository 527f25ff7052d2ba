import data from './history.json' with { type: 'json' }
import type { Channel, DataCenter } from './names.js'
import { type Cell, inOneLine, type Snapshot } from './snapshot.js'

/** A cell of the page that a revision changed. */
export interface HistoryCell {
  readonly dataCenter: DataCenter
  readonly channel: Channel
  /** The cell before; null if the page had no such row. */
  readonly from: Cell | null
  /** The cell from then on; null if the page has no such row. */
  readonly to: Cell | null
}

/** A revision of MoEngage's page, by what it changed. */
export interface HistoryEntry {
  /** As the repository or the site of the page names it. */
  readonly revision: string
  readonly page: string
  /** The day on which somebody read it, as `YYYY-MM-DD`; null if that is not known. */
  readonly seen: string | null
  /** What is not known but inferred of it; null if nothing is. */
  readonly inferred: string | null
  /** Addresses that the page did not have before, anywhere. */
  readonly added: readonly string[]
  /** Addresses that the page no longer has, anywhere. */
  readonly removed: readonly string[]
  readonly cells: readonly HistoryCell[]
}

/** The revisions of MoEngage's page that are known, the oldest first. */
export const HISTORY = data as readonly HistoryEntry[]

type Rows = Snapshot['rows']

/**
 * The rows of the page after some revisions.
 *
 * @throws Error if a revision changes a cell that was another before
 */
export function replay(entries: readonly HistoryEntry[]): Rows {
  const cells = new Map<string, Rows[number]>()
  for (const { revision, cells: changes } of entries) {
    for (const { dataCenter, channel, from, to } of changes) {
      const key = `${dataCenter} ${channel}`
      if (!isSame(cells.get(key)?.addresses ?? null, from)) throw new Error(`${revision}: ${key} was another before.`)
      if (to === null) cells.delete(key)
      else cells.set(key, { dataCenter, channel, addresses: to })
    }
  }
  return [...cells.values()]
}

/** The history with a snapshot as its newest revision; the same if the page has not changed. */
export function append(entries: readonly HistoryEntry[], { rows, provenance }: Snapshot): readonly HistoryEntry[] {
  const before = replay(entries)
  const cells = [...before, ...rows].flatMap(({ dataCenter, channel }, i, all) => {
    const isCell = (row: Rows[number]) => row.dataCenter === dataCenter && row.channel === channel
    if (all.findIndex(isCell) !== i) return []
    const from = before.find(isCell)?.addresses ?? null
    const to = rows.find(isCell)?.addresses ?? null
    return isSame(from, to) ? [] : [{ dataCenter, channel, from, to }]
  })
  if (cells.length === 0) return entries
  const [old, now] = [addressesOf(before), addressesOf(rows)]
  const entry = {
    revision: provenance.revision,
    page: provenance.page,
    seen: provenance.retrieved,
    inferred: null,
    added: [...now].filter((address) => !old.has(address)),
    removed: [...old].filter((address) => !now.has(address)),
    cells
  }
  return [...entries, entry]
}

/** The order of addresses does not matter. */
function isSame(a: Cell | null, b: Cell | null): boolean {
  const meaning = (cell: Cell | null) => JSON.stringify(Array.isArray(cell) ? cell.toSorted() : cell)
  return meaning(a) === meaning(b)
}

const addressesOf = (rows: Rows) =>
  new Set(rows.flatMap(({ addresses }) => (Array.isArray(addresses) ? addresses : [])))

/** A history as JSON with one cell a line, so that a comparison of two files shows what was appended. */
export function formatHistory(entries: readonly HistoryEntry[]): string {
  const texts = entries.map(({ cells, ...entry }) => {
    const fields = Object.entries(entry).map(([name, value]) => `    ${JSON.stringify(name)}: ${inOneLine(value)}`)
    const lines = cells.map((cell) => `\n      ${inOneLine(cell)}`)
    return `  {\n${fields.join(',\n')},\n    "cells": [${lines.join(',')}${cells.length === 0 ? '' : '\n    '}]\n  }`
  })
  return `[\n${texts.join(',\n')}\n]\n`
}
