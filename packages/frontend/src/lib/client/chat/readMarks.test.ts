import { expect, it } from 'vitest'
import { ManualAttention } from '../testing/chat'
import { settle } from '../testing/manualClock'
import { pick, seeded } from '../testing/random'
import { ReadMarks } from './readMarks'

function stage() {
  const attention = new ManualAttention()
  const sent: { id: string; finish: (isDone: boolean) => void }[] = []
  const marks = new ReadMarks({
    attention,
    send: ({ messageId }) =>
      new Promise((finish) => {
        sent.push({ id: messageId, finish })
      }),
  })
  return { attention, marks, sent, ids: () => sent.map(({ id }) => id) }
}

const at = (seq: number) => ({ messageId: `m${seq}`, seq })

it('moves forward only', async () => {
  const { marks, sent, ids } = stage()
  marks.mark(at(2))
  sent[0]?.finish(true)
  await settle()
  marks.mark(at(1))
  marks.mark(at(2))
  marks.mark(at(3))
  expect(ids()).toEqual(['m2', 'm3'])
})

it('sends the last of those that come while one is on its way', async () => {
  const { marks, sent, ids } = stage()
  for (const seq of [1, 2, 3, 4]) marks.mark(at(seq))
  sent[0]?.finish(true)
  await settle()
  expect(ids()).toEqual(['m1', 'm4'])
})

it('moves only while somebody looks', async () => {
  const { attention, marks, ids } = stage()
  attention.leave()
  marks.mark(at(1))
  expect(ids()).toEqual([])
  attention.comeBack()
  void marks.flush()
  expect(ids()).toEqual(['m1'])
})

it('is sent again when the server did not get it', async () => {
  const { marks, sent, ids } = stage()
  marks.mark(at(1))
  sent[0]?.finish(false)
  await settle()
  void marks.flush()
  expect(ids()).toEqual(['m1', 'm1'])
})

it('does not send what another device has moved it beyond', async () => {
  const { attention, marks, sent, ids } = stage()
  attention.leave()
  marks.mark(at(2))
  marks.moved(3)
  attention.comeBack()
  void marks.flush()
  marks.mark(at(3))
  expect(ids()).toEqual([])
  marks.mark(at(4))
  marks.mark(at(6))
  marks.moved(6)
  sent[0]?.finish(true)
  await settle()
  expect(ids()).toEqual(['m4'])
})

it.each(Array.from({ length: 100 }, (_, seed) => seed))(
  'goes forward only, whatever the order of things, and in the end as far as was looked (seed %i)',
  async (seed) => {
    const random = seeded(seed)
    const { attention, marks, sent } = stage()
    let server = 0
    let wanted = 0
    let answered = 0
    const answer = async (isDone: boolean) => {
      const next = sent[answered]
      if (!next) return
      answered += 1
      const seq = Number(next.id.slice(1))
      if (isDone) server = Math.max(server, seq)
      next.finish(isDone)
      await settle()
    }
    let before = 0
    for (let step = 0; step < 60; step += 1) {
      const what = pick(random, ['mark', 'mark', 'leave', 'back', 'done', 'lost', 'moved'] as const)
      if (what === 'mark') {
        const seq = 1 + Math.floor(random() * 40)
        wanted = Math.max(wanted, seq)
        marks.mark(at(seq))
      } else if (what === 'leave') attention.leave()
      else if (what === 'back') {
        attention.comeBack()
        void marks.flush()
      } else if (what === 'moved') {
        server = Math.max(server, Math.floor(random() * 40))
        marks.moved(server)
      } else await answer(what === 'done')
      expect(server).toBeGreaterThanOrEqual(before)
      before = server
      await settle()
    }
    attention.comeBack()
    for (let turn = 0; turn < 80; turn += 1) {
      void marks.flush()
      await settle()
      await answer(true)
    }
    expect(server).toBeGreaterThanOrEqual(wanted)
  },
)
