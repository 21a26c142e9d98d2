import { describe, expect, it } from 'vitest'
import { createItem } from './item'
import { Queue } from './queue'
import type { OutboxEntry } from './store'

const entry = (id: string, status: OutboxEntry['status'] = 'pending'): OutboxEntry => ({
  message: { id, roomId: 'room_1', content: id, timestamp: '' },
  status,
})

function holding(...ids: string[]): Queue {
  const queue = new Queue()
  for (const id of ids) queue.add(createItem(entry(id)))
  return queue
}

/** Reads a store that has these, while something happens. */
async function read(queue: Queue, kept: OutboxEntry[], meanwhile: () => void = () => undefined) {
  const reading = queue.read(
    () => Promise.resolve(kept),
    () => true,
  )
  meanwhile()
  const lost = await reading
  return lost?.map(({ message }) => message.id)
}

const held = (queue: Queue) => queue.all().map(({ message }) => message.id)

describe('reading the store', () => {
  it('takes its order and its states, and goes on with what is held', async () => {
    const queue = holding('a', 'b')
    const a = queue.get('a')
    expect(await read(queue, [entry('c'), entry('b', 'failed'), entry('a')])).toEqual([])
    expect(held(queue)).toEqual(['c', 'b', 'a'])
    expect(queue.get('a')).toBe(a)
    expect(queue.get('b')?.status).toBe('failed')
  })

  it('gives up what others took out', async () => {
    const queue = holding('a', 'b')
    expect(await read(queue, [entry('b')])).toEqual(['a'])
    expect(held(queue)).toEqual(['b'])
  })

  it('keeps behind the others what the store never took', async () => {
    const queue = holding('a')
    queue.add(createItem(entry('too many', 'failed'), false))
    expect(await read(queue, [entry('a')])).toEqual([])
    expect(held(queue)).toEqual(['a', 'too many'])
  })

  it('knows what happened since better', async () => {
    const queue = holding('stored', 'failed', 'other')
    const lost = await read(
      queue,
      ['stored', 'failed', 'other'].map((id) => entry(id)),
      () => {
        queue.take('stored')
        const failed = queue.get('failed')
        if (failed) failed.status = 'failed'
        queue.touch('failed')
        queue.add(createItem(entry('new')))
        queue.touch('new')
      },
    )
    expect(lost).toEqual([])
    expect(held(queue)).toEqual(['failed', 'other', 'new'])
    expect(queue.get('failed')?.status).toBe('failed')
  })

  it('of a room that is closed meanwhile changes nothing', async () => {
    const queue = holding('a')
    const lost = await queue.read(
      () => Promise.resolve([]),
      () => false,
    )
    expect(lost).toBeNull()
    expect(held(queue)).toEqual(['a'])
  })
})
