import { expect, test } from 'vitest'
import type { Person } from './support/person'
import { fill, roomIdOf, Visitor } from './support/room'
import { setStage } from './support/stage'

const stage = setStage()

/** Scrolls up by a turn of the wheel and gives time for one frame. */
async function turnUp(person: Person, by: number): Promise<void> {
  await person.conversation.hover()
  await person.page.mouse.wheel(0, -by)
  await person.page.evaluate(() => new Promise((done) => requestAnimationFrame(done)))
}

/** Until the server knows that all is read: a page that is opened then begins at the newest message. */
async function hasReadAll(person: Person): Promise<void> {
  const { token } = await person.session()
  const headers = { authorization: `Bearer ${token}` }
  await expect
    .poll(
      async () => {
        const answer = await fetch(`${stage.server.url}/api/rooms`, { headers })
        const { rooms } = (await answer.json()) as { rooms: { unread: number }[] }
        return rooms.map(({ unread }) => unread)
      },
      { timeout: 20_000, interval: 100 },
    )
    .toEqual([0])
}

test('older messages come on scrolling up, and nothing jumps', async () => {
  const ann = await stage.person({ viewport: { width: 800, height: 600 } })
  await ann.signIn('Ann')
  const address = await ann.startChat()
  await fill(stage.server.url, address, 150)
  await hasReadAll(ann)
  await ann.page.reload()
  await ann.message('number 150').waitFor()
  await expect.poll(() => ann.distanceToBottom()).toBeLessThan(2)
  expect(await ann.message('number 1').count()).toBe(0)

  // What is on screen moves by what was scrolled, and not at all when rows come in above.
  await ann.page.evaluate(() => {
    const box = document.querySelector<HTMLElement>('[aria-label="Conversation"]')
    if (!box) throw new Error('No conversation')
    const jumps: number[] = []
    const pages: number[] = []
    Object.assign(window, { jumps, pages })
    let first = box.querySelector<HTMLElement>('[data-message-id]')
    let rows = box.querySelectorAll('[data-key]').length
    let top = first?.getBoundingClientRect().top ?? 0
    let scrolled = box.scrollTop
    const look = () => {
      const nowRows = box.querySelectorAll('[data-key]').length
      const moved = (first?.getBoundingClientRect().top ?? 0) - top
      jumps.push(nowRows === rows ? moved + box.scrollTop - scrolled : moved)
      if (nowRows !== rows) pages.push(nowRows)
      first = box.querySelector<HTMLElement>('[data-message-id]')
      rows = nowRows
      top = first?.getBoundingClientRect().top ?? 0
      scrolled = box.scrollTop
    }
    new MutationObserver(look).observe(box, { subtree: true, childList: true })
    box.addEventListener('scroll', look)
  })
  await expect
    .poll(
      async () => {
        await turnUp(ann, 300)
        return ann.message('number 1').count()
      },
      { timeout: 30_000 },
    )
    .toBe(1)
  const seen = await ann.page.evaluate(() => {
    const { jumps, pages } = window as unknown as { jumps: number[]; pages: number[] }
    return { pages: pages.length, jump: Math.max(...jumps.map(Math.abs)) }
  })
  expect(seen.pages).toBe(2)
  expect(seen.jump).toBeLessThanOrEqual(1)

  const shown = (await ann.texts()).map((text) => Number(text.replace('number ', '')))
  expect(shown).toEqual(Array.from({ length: 150 }, (_, at) => at + 1))
})

test('one who reads further up stays there, and is told of new messages', async () => {
  const ann = await stage.person({ viewport: { width: 800, height: 600 } })
  await ann.signIn('Ann')
  const address = await ann.startChat()
  await fill(stage.server.url, address, 30)
  await ann.message('number 30').waitFor()
  await expect.poll(() => ann.distanceToBottom()).toBeLessThan(2)
  await turnUp(ann, 300)
  await ann.page.getByRole('button', { name: 'To the newest message' }).waitFor()
  const before = await ann.conversation.evaluate((box) => box.scrollTop)

  const bob = await Visitor.enter(stage.server.url, roomIdOf(address), 'Bob')
  await bob.say('news')
  await ann.message('news').waitFor()
  expect(await ann.conversation.evaluate((box) => box.scrollTop)).toBe(before)
  await ann.page.getByRole('button', { name: 'New messages' }).click()
  await expect.poll(() => ann.distanceToBottom()).toBeLessThan(2)
  bob.leave()
})

test('one at the bottom stays there while an answer grows', async () => {
  const ann = await stage.person({ viewport: { width: 320, height: 500 } })
  await ann.signIn('Ann')
  await ann.startChat()
  await ann.say('/count 300 5')
  await ann.messages('complete').nth(1).waitFor()
  await expect.poll(() => ann.distanceToBottom()).toBeLessThan(2)
  await ann.say('/count 300 5')
  await ann.messages('complete').nth(3).waitFor()
  await expect.poll(() => ann.distanceToBottom()).toBeLessThan(2)
})
