import { afterEach, expect, it, vi } from 'vitest'
import { createConnection } from './open'

const made = vi.hoisted(() => vi.fn())
vi.mock('socket.io-client', async (original) => {
  const { io } = await original<typeof import('socket.io-client')>()
  return {
    io: (...args: Parameters<typeof io>) => {
      made(...args)
      return io(...args)
    },
  }
})

afterEach(() => {
  made.mockClear()
  vi.unstubAllGlobals()
})

it.each([
  ['https://host', undefined, 'https://host', '/socket.io/'],
  ['https://host/', undefined, 'https://host', '/socket.io/'],
  ['https://host:81/chat', undefined, 'https://host:81', '/chat/socket.io/'],
  ['https://host/a/b/', undefined, 'https://host', '/a/b/socket.io/'],
  ['https://host/chat', '/other/', 'https://host', '/other/'],
  ['/chat', undefined, 'https://page', '/chat/socket.io/'],
  ['host:81', '/other/', 'host:81', '/other/'],
])('a server at %s, with the path %s, is asked at %s %s', (url, path, origin, asked) => {
  vi.stubGlobal('location', { href: 'https://page/room?a#b', protocol: 'https:', host: 'page' })
  createConnection({ url, path })
  expect(made).toHaveBeenCalledWith(origin, expect.objectContaining({ path: asked }))
})

it('the server is where the page came from when nothing is said', () => {
  vi.stubGlobal('location', { href: 'https://page/room', protocol: 'https:', host: 'page' })
  createConnection()
  expect(made.mock.calls).toEqual([[expect.objectContaining({ autoConnect: false })]])
})
