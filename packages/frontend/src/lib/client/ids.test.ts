import { afterEach, expect, it, vi } from 'vitest'
import { createId } from './ids'

afterEach(() => {
  vi.unstubAllGlobals()
})

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

it.each(['with', 'without'])('%s a secure context, ids are unique UUIDs', (context) => {
  if (context === 'without')
    vi.stubGlobal('crypto', {
      getRandomValues: (bytes: Uint8Array) => bytes.map(() => Math.floor(Math.random() * 256)),
    })
  const ids = Array.from({ length: 500 }, createId)
  for (const id of ids) expect(id).toMatch(UUID)
  expect(new Set(ids).size).toBe(500)
})
