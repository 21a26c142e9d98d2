import { expect, test } from 'vitest'
import { storedIn } from './support/room'
import { setStage } from './support/stage'

const stage = setStage()
// Long enough for a page to load in the middle of it, on any machine.
const LAST = 250
const NUMBERS = Array.from({ length: LAST }, (_, at) => at + 1).join(' ')

test('a reload in mid-stream changes nothing about the answer', async () => {
  const ann = await stage.person()
  await ann.signIn('Ann')
  const address = await ann.startChat()
  await ann.say(`/count ${LAST} 40`)
  await ann.messages('streaming').getByText(' 5').waitFor()
  const before = (await ann.texts()).at(-1) ?? ''
  await ann.page.reload()
  await ann.messages('streaming').waitFor()
  // From its first moment on, the page has all that was there, and not a piece of it.
  expect((await ann.texts()).at(-1)?.startsWith(before)).toBe(true)
  await ann.message(NUMBERS).waitFor()

  await ann.messages('streaming').waitFor({ state: 'detached' })
  const stored = await storedIn(stage.server.url, address)
  expect(stored.map((each) => each.content)).toEqual([`/count ${LAST} 40`, NUMBERS])
  expect(await ann.texts()).toEqual([`/count ${LAST} 40`, NUMBERS])
})

test('a server that dies and comes back costs nothing', async () => {
  const ann = await stage.person()
  ann.foreseeOutage()
  await ann.signIn('Ann')
  const address = await ann.startChat()
  await ann.say('before')
  await ann.messages('complete').nth(1).waitFor()

  await stage.server.kill()
  await ann.banner.waitFor()
  await ann.say('meanwhile')
  await ann.message('meanwhile').waitFor()
  expect(await ann.messages().count()).toBe(3)

  await stage.server.start()
  await ann.banner.waitFor({ state: 'detached' })
  await ann.messages('complete').nth(3).waitFor()
  const stored = await storedIn(stage.server.url, address)
  const texts = ['before', 'before', 'meanwhile', 'meanwhile']
  expect(stored.map((each) => each.content)).toEqual(texts)
  expect(await ann.texts()).toEqual(texts)
})

test('an answer that was cut off by the death of the server says so', async () => {
  const ann = await stage.person()
  ann.foreseeOutage()
  await ann.signIn('Ann')
  const address = await ann.startChat()
  await ann.say('/count 2000 20')
  // What is written is saved once a second.
  await ann.messages('streaming').getByText(' 100 ').waitFor()
  await stage.server.kill()
  await ann.banner.waitFor()
  await stage.server.start()
  await ann.messages('interrupted').getByText('The answer was interrupted').waitFor()
  const stored = (await storedIn(stage.server.url, address)).at(-1)
  expect(stored).toMatchObject({ state: 'interrupted', content: (await ann.texts()).at(-1) })
  // What is stored may be less than what was shown; the page stands as well as before.
  expect(await ann.page.locator('.typing-cursor').count()).toBe(0)
  expect(await ann.messages().count()).toBe(2)
  await expect.poll(() => ann.distanceToBottom()).toBeLessThan(2)
  await ann.page.getByRole('button', { name: 'Try again' }).waitFor()
})

test('a message that cannot be delivered can be sent again, one that is refused discarded', async () => {
  const ann = await stage.person()
  let onTheWay: (frame: string) => string | null = (frame) => frame
  await ann.page.routeWebSocket(/socket\.io/, (page) => {
    const server = page.connectToServer()
    page.onMessage((frame) => {
      const text = String(frame)
      const passed = text.includes('"message:send') ? onTheWay(text) : text
      if (passed !== null) server.send(passed)
    })
  })
  await ann.signIn('Ann')
  const address = await ann.startChat()
  await ann.say('heard')
  await ann.messages('complete').nth(1).waitFor()

  onTheWay = (frame) => frame.replace('"content":', '"contents":')
  await ann.say('never mind')
  await ann.page.getByRole('button', { name: 'Discard' }).click()
  await ann.message('never mind').waitFor({ state: 'detached' })

  onTheWay = () => null
  await ann.say('unheard')
  await ann.retryButton.waitFor({ timeout: 45_000 })
  onTheWay = (frame) => frame
  await ann.retryButton.click()
  await ann.message('unheard').nth(1).waitFor()

  const stored = await storedIn(stage.server.url, address)
  expect(stored.map((each) => each.content)).toEqual(['heard', 'heard', 'unheard', 'unheard'])
})
