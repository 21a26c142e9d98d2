import { afterEach, describe, expect, it, vi } from 'vitest'
import { tokenSource } from './tokens'

afterEach(() => {
  vi.unstubAllGlobals()
})

/** Gives out guest1, guest2 and so on. */
function guestServer() {
  const names: unknown[] = []
  vi.stubGlobal('fetch', async (_: string, request: RequestInit) => {
    names.push(JSON.parse(String(request.body)))
    return Response.json({ token: `guest${names.length}`, userId: 'u', name: 'n' })
  })
  return names
}

function storage() {
  const values = new Map<string, string>()
  return {
    getItem: (key: string) => values.get(key) ?? null,
    setItem: (key: string, value: string) => void values.set(key, value),
    removeItem: (key: string) => void values.delete(key),
  }
}

describe('a token', () => {
  it('may be there already', async () => {
    expect(await tokenSource('mine', {})(false)).toBe('mine')
  })

  it.each([() => 'mine', () => Promise.resolve('mine')])('may be asked for', async (ask) => {
    expect(await tokenSource(ask, {})(true)).toBe('mine')
  })

  it('that cannot be had says why', async () => {
    const source = tokenSource(() => {
      throw new Error('signed out')
    }, {})
    await expect(source(false)).rejects.toThrow('signed out')
  })
})

describe('a guest', () => {
  it('is made once, and stays who it is', async () => {
    const names = guestServer()
    const kept = storage()
    const options = { url: 'http://chat.test', name: 'Ann', storage: kept }
    expect(await tokenSource(undefined, options)(false)).toBe('guest1')
    expect(await tokenSource(undefined, options)(false)).toBe('guest1')
    expect(names).toEqual([{ name: 'Ann' }])
  })

  it('is another one on another server', async () => {
    guestServer()
    const kept = storage()
    await tokenSource(undefined, { url: 'http://one.test', storage: kept })(false)
    expect(await tokenSource(undefined, { url: 'http://two.test', storage: kept })(false)).toBe(
      'guest2',
    )
  })

  it('is made anew when the server does not know it any more', async () => {
    guestServer()
    const source = tokenSource(undefined, { url: 'http://chat.test', storage: storage() })
    expect(await source(false)).toBe('guest1')
    expect(await source(true)).toBe('guest2')
    expect(await source(false)).toBe('guest2')
  })

  it('lasts as long as the page where nothing can be kept', async () => {
    guestServer()
    vi.stubGlobal('localStorage', {
      getItem: () => {
        throw new Error('forbidden')
      },
      setItem: () => {
        throw new Error('forbidden')
      },
    })
    const source = tokenSource(undefined, { url: 'http://chat.test' })
    expect(await source(false)).toBe('guest1')
    expect(await source(false)).toBe('guest1')
  })
})
