import { afterEach, describe, expect, it, vi } from 'vitest'
import { createGuest } from './guest'
import {
  addCharacter,
  addMember,
  createRoom,
  getPrompt,
  getServerInfo,
  listCharacters,
  listMembers,
  listRooms,
  removeCharacter,
  removeMember,
} from './rest'

afterEach(() => {
  vi.unstubAllGlobals()
})

/** What was asked for; it is answered with `body`. */
function server(body: string, init: ResponseInit = {}) {
  const asked: { method: string; url: string; token: string | null; body: unknown }[] = []
  vi.stubGlobal('fetch', async (url: string, request: RequestInit) => {
    asked.push({
      method: request.method ?? '',
      url,
      token: new Headers(request.headers).get('authorization'),
      body: request.body,
    })
    return new Response(init.status === 204 ? null : body, init)
  })
  return asked
}

const options = { url: 'http://chat.test/', token: 'secret' }

describe('requests', () => {
  it.each([
    ['GET /api/info', () => getServerInfo(options), undefined],
    ['GET /api/characters', () => listCharacters(options), undefined],
    ['GET /api/rooms', () => listRooms(options), undefined],
    ['POST /api/rooms', () => createRoom({ roomId: 'a' }, options), '{"roomId":"a"}'],
    ['POST /api/guest', () => createGuest('Ann', options), '{"name":"Ann"}'],
    ['PUT /api/rooms/a/characters/b%2F', () => addCharacter('a', 'b/', options), undefined],
    ['DELETE /api/rooms/a/characters/b', () => removeCharacter('a', 'b', options), undefined],
    ['GET /api/rooms/a/messages/b%2F/prompt', () => getPrompt('a', 'b/', options), undefined],
    ['GET /api/rooms/a%2Fb/members', () => listMembers('a/b', options), undefined],
    ['PUT /api/rooms/a/members/b%3F', () => addMember('a', 'b?', options), undefined],
    ['DELETE /api/rooms/a/members/b', () => removeMember('a', 'b', options), undefined],
  ])('%s', async (line, ask, body) => {
    const asked = server('{}')
    await ask()
    const [method, path] = line.split(' ')
    expect(asked).toEqual([
      { method, url: `http://chat.test${path}`, token: 'Bearer secret', body: body ?? null },
    ])
  })

  it('that are answered with nothing are done', async () => {
    server('', { status: 204 })
    expect(await addMember('a', 'b', options)).toBeUndefined()
  })
})

describe('failures', () => {
  it('say what the server says', async () => {
    const failure = { success: false, error: 'slowly', code: 'rate_limited', retryAfterMs: 70 }
    server(JSON.stringify(failure), { status: 429 })
    await expect(listRooms(options)).rejects.toMatchObject({
      name: 'RestError',
      status: 429,
      code: 'rate_limited',
      message: 'slowly',
      retryAfterMs: 70,
    })
  })

  it.each([
    [502, 'unavailable'],
    [404, 'internal'],
  ])('of somebody else, %i, have a code, too', async (status, code) => {
    server('<html>', { status, statusText: 'Oh' })
    await expect(listRooms(options)).rejects.toMatchObject({
      status,
      code,
      message: `The server answered ${status} Oh`,
    })
  })
})
