import { describe, expect, test } from 'vitest'
import { hashOf, parseHash, type Route, roomLink, serverOf } from './routing'

describe('routing', () => {
  test.each<Route>([
    { page: 'home' },
    { page: 'room', roomId: 'room_123' },
    { page: 'room', roomId: '방 / 하나?#%' },
  ])('an address leads to what it was made of: %o', (route) => {
    expect(parseHash(hashOf(route))).toEqual(route)
  })

  test.each(['', '#', '#/', '#/room/', '#/room/a/b', '#/other/x', '#/room/%zz'])(
    'anything else leads home: %s',
    (hash) => {
      expect(parseHash(hash)).toEqual({ page: 'home' })
    },
  )

  test('a link to a room holds the page it is opened with', () => {
    const here = { origin: 'https://chat.example', pathname: '/app/' }
    expect(roomLink('a b', here)).toBe('https://chat.example/app/#/room/a%20b')
  })

  test.each([
    ['/', 'http://host'],
    ['/index.html', 'http://host'],
    ['/chat/', 'http://host/chat'],
    ['/a/b/index.html', 'http://host/a/b'],
  ])('a page at %s came from %s', (pathname, server) => {
    expect(serverOf({ origin: 'http://host', pathname })).toBe(server)
  })
})
