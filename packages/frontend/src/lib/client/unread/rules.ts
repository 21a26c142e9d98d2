/** Rules about what is unread in a room, whatever the order in which things become known. */

/** So far is counted: as many, or more. */
export const UNREAD_MAX = 100

export interface Unread {
  /** How many were unread when the server told so, up to `listedTo`. */
  readonly listed: number
  readonly listedTo: number
  /** How far one has read; it only goes forward. */
  readonly readTo: number
  /** The numbers of messages of others that came after that, ascending. */
  readonly later: readonly number[]
}

export const nothingUnread: Unread = { listed: 0, listedTo: 0, readTo: 0, later: [] }

/** What the server tells of a room in a list. */
export interface ListedRoom {
  unread: number
  lastSeq: number
  readSeq: number
}

/** A list has come; it may be older than what is known already. */
export function listed(known: Unread, room: ListedRoom): Unread {
  const readTo = Math.max(known.readTo, room.readSeq)
  if (room.lastSeq < known.listedTo) return read(known, readTo)
  const isBehind = room.readSeq < known.readTo
  return {
    // What was read after the list was made is not unread any more: of that at most so many are left.
    listed: isBehind ? Math.min(room.unread, Math.max(0, room.lastSeq - readTo)) : room.unread,
    listedTo: room.lastSeq,
    readTo,
    later: known.later.filter((seq) => seq > room.lastSeq && seq > readTo),
  }
}

/** Somebody else's message is there. */
export function arrived(known: Unread, seq: number): Unread {
  if (seq <= known.listedTo || seq <= known.readTo || known.later.includes(seq)) return known
  const later = [...known.later, seq].sort((one, other) => one - other)
  return { ...known, later: later.slice(-UNREAD_MAX) }
}

/** One has read up to there, on whichever device. */
export function read(known: Unread, seq: number): Unread {
  if (seq <= known.readTo) return known
  return {
    ...known,
    listed: Math.min(known.listed, Math.max(0, known.listedTo - seq)),
    readTo: seq,
    later: known.later.filter((later) => later > seq),
  }
}

export function count({ listed: before, later }: Unread): number {
  return Math.min(UNREAD_MAX, before + later.length)
}
