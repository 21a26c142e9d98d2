import { expect, it } from 'vitest'
import { ManualAttention } from '../testing/chat'
import { settle } from '../testing/manualClock'
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
