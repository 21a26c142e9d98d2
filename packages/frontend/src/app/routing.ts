/** Where the page is; the address after `#` says it, so that a link leads there. */
export type Route = { page: 'home' } | { page: 'room'; roomId: string }

const ROOM = /^#\/room\/([^/?#]+)$/

export function parseHash(hash: string): Route {
  const encoded = ROOM.exec(hash)?.[1]
  if (encoded === undefined) return { page: 'home' }
  try {
    return { page: 'room', roomId: decodeURIComponent(encoded) }
  } catch {
    return { page: 'home' }
  }
}

export function hashOf(route: Route): string {
  return route.page === 'room' ? `#/room/${encodeURIComponent(route.roomId)}` : '#/'
}

/** The address of a room to give to others. */
export function roomLink(roomId: string, here: Pick<Location, 'origin' | 'pathname'>): string {
  return `${here.origin}${here.pathname}${hashOf({ page: 'room', roomId })}`
}

/** Where the server is that the page came from: below the path that a program has mounted it at. */
export function serverOf(here: Pick<Location, 'origin' | 'pathname'>): string {
  return here.origin + here.pathname.slice(0, here.pathname.lastIndexOf('/'))
}
