/** Where the page is; the address after `#` says it, so that a link leads there. */
export type Route = { page: 'home' } | { page: 'room'; roomId: string; at?: Place }

/** A message of a room, and where it stands there. */
export interface Place {
  messageId: string
  seq: number
}

const ROOM = /^#\/room\/([^/?#]+)(?:\?at=(\d{1,15}):([^/?#&]+))?$/

export function parseHash(hash: string): Route {
  const [, encoded, seq, messageId] = ROOM.exec(hash) ?? []
  if (encoded === undefined) return { page: 'home' }
  try {
    const room = { page: 'room', roomId: decodeURIComponent(encoded) } as const
    if (messageId === undefined) return room
    return { ...room, at: { messageId: decodeURIComponent(messageId), seq: Number(seq) } }
  } catch {
    return { page: 'home' }
  }
}

export function hashOf(route: Route): string {
  if (route.page === 'home') return '#/'
  const { roomId, at } = route
  const place = at ? `?at=${at.seq}:${encodeURIComponent(at.messageId)}` : ''
  return `#/room/${encodeURIComponent(roomId)}${place}`
}

/** The address of a room to give to others. */
export function roomLink(roomId: string, here: Pick<Location, 'origin' | 'pathname'>): string {
  return `${here.origin}${here.pathname}${hashOf({ page: 'room', roomId })}`
}

/** Where the server is that the page came from: below the path that a program has mounted it at. */
export function serverOf(here: Pick<Location, 'origin' | 'pathname'>): string {
  return here.origin + here.pathname.slice(0, here.pathname.lastIndexOf('/'))
}
