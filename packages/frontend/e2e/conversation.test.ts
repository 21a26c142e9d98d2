import { expect, test } from 'vitest'
import { expectAccessible } from './support/axe'
import { storedIn } from './support/room'
import { setStage } from './support/stage'

const stage = setStage()
const numbersTo = (last: number) => Array.from({ length: last }, (_, at) => at + 1).join(' ')

test('two guests in one room see each other', async () => {
  const [ann, bob] = [await stage.person(), await stage.person()]
  await ann.signIn('Ann')
  await bob.signIn('Bob')
  await bob.open(await ann.startChat())

  await ann.say('hello from Ann')
  await bob.message('hello from Ann').first().waitFor()
  await bob.say('hello from Bob')
  await ann.message('hello from Bob').first().waitFor()
  await bob.page.getByRole('article', { name: 'Message by Ann' }).first().waitFor()
  await ann.page.getByRole('article', { name: 'Message by Bob' }).first().waitFor()

  await bob.composer.pressSequentially('I am wri')
  await ann.page.getByText('Bob is typing …').waitFor()
  await bob.composer.fill('')
  await ann.page.getByText('Bob is typing …').waitFor({ state: 'detached' })

  await ann.page.getByRole('button', { name: '2 members' }).click()
  const members = ann.page.getByRole('region', { name: 'Members' })
  await members.getByText('Ann (you)').waitFor()
  await members.getByText('Bob').waitFor()
})

test('one who comes by a link and speaks at once is answered', async () => {
  const [ann, bob] = [await stage.person(), await stage.person()]
  await ann.signIn('Ann')
  const address = await ann.startChat()
  await bob.signIn('Bob')
  await bob.page.evaluate((to) => {
    window.location.href = to
  }, address)
  await bob.say('at once')
  await ann.message('at once').nth(1).waitFor()
  expect((await storedIn(stage.server.url, address)).map((each) => each.role)).toEqual([
    'user',
    'character',
  ])
})

test('a name stays known after its owner has left', async () => {
  const [ann, bob, eve] = [await stage.person(), await stage.person(), await stage.person()]
  await ann.signIn('Ann')
  const address = await ann.startChat()
  await bob.signIn('Bob')
  await bob.open(address)
  await bob.say('I was here')
  await ann.message('I was here').first().waitFor()
  await bob.page.goto('/#/')

  await eve.signIn('Eve')
  await eve.open(address)
  await eve.page.getByRole('article', { name: 'Message by Bob' }).first().waitFor()
})

test('an answer streams in, and ends as it is stored', async () => {
  const ann = await stage.person()
  await ann.signIn('Ann')
  const address = await ann.startChat()
  await ann.page.evaluate(() => {
    const seen = new Set<string>()
    Object.assign(window, { seen })
    new MutationObserver(() => {
      const streaming = document.querySelector<HTMLElement>('[data-state="streaming"] .md')
      if (streaming) seen.add(streaming.textContent)
    }).observe(document.body, { subtree: true, childList: true, characterData: true })
  })
  await ann.say('/count 120 40')
  await ann.page.locator('.typing-cursor').waitFor()
  await ann.page.getByRole('button', { name: 'Stop the answer' }).waitFor()
  await ann.message(numbersTo(120)).waitFor()

  await ann.messages('streaming').waitFor({ state: 'detached' })
  expect(await ann.page.locator('.typing-cursor').count()).toBe(0)
  const seen = await ann.page.evaluate(() => [...(window as unknown as { seen: Set<string> }).seen])
  expect(seen.length).toBeGreaterThan(10)
  for (const text of seen) expect(numbersTo(120)).toContain(text)
  const stored = await storedIn(stage.server.url, address)
  expect(await ann.texts()).toEqual(stored.map((each) => each.content))
})

test('a screen reader is told of a whole answer, not of its pieces', async () => {
  const ann = await stage.person()
  await ann.signIn('Ann')
  await ann.startChat()
  const region = ann.page.locator('div[aria-live="polite"]')
  await ann.page.evaluate(() => {
    const told: string[] = []
    Object.assign(window, { told })
    const live = document.querySelector('div[aria-live="polite"]')
    if (!live) throw new Error('No live region')
    new MutationObserver(() => {
      if (live.textContent) told.push(live.textContent)
    }).observe(live, { subtree: true, childList: true, characterData: true })
  })
  await ann.say('/count 20 20')
  await region.getByText(`Echo: ${numbersTo(20)}`).waitFor()
  const told = await ann.page.evaluate(() => (window as unknown as { told: string[] }).told)
  expect(told).toEqual([`Echo: ${numbersTo(20)}`])
})

test('Stop ends an answer and keeps what was written', async () => {
  const ann = await stage.person()
  await ann.signIn('Ann')
  const address = await ann.startChat()
  await ann.say('/count 2000 20')
  await ann.messages('streaming').getByText(' 10 ').waitFor()
  await ann.page.getByRole('button', { name: 'Stop the answer' }).click()

  await ann.messages('stopped').getByText('Stopped').waitFor()
  const shown = (await ann.texts()).at(-1) ?? ''
  expect(shown).toContain('1 2 3 4 5 6 7 8 9 10')
  const stored = (await storedIn(stage.server.url, address)).at(-1)
  expect(stored).toMatchObject({ state: 'stopped', content: shown })
})

test('an answer that fails says why, keeps what was written, and may be tried again', async () => {
  const ann = await stage.person()
  await ann.signIn('Ann')
  await ann.startChat()
  await ann.say('/fail 5')
  const sentence = 'The answer failed: Echo failed, as it was told to.'
  await ann.messages('failed').getByText(sentence).waitFor()
  expect((await ann.texts()).at(-1)).toBe(numbersTo(5))
  await ann.page.getByRole('button', { name: 'Try again' }).click()
  await ann.page.getByText('Answer 2 of 2').waitFor()
  await ann.messages('failed').getByText(sentence).waitFor()
})

test('a room without a character says so, and takes one that is chosen in it', async () => {
  const [ann, bob] = [await stage.person(), await stage.person()]
  const lobby = `${stage.server.url}/#/room/lobby`
  for (const [person, name] of [
    [ann, 'Ann'],
    [bob, 'Bob'],
  ] as const) {
    await person.signIn(name)
    await person.open(lobby)
  }
  const offer = (of: typeof ann) => of.page.getByRole('region', { name: 'Nobody answers here yet' })
  await offer(ann).waitFor()
  await expectAccessible(ann.page)

  await bob.say('just between us')
  await ann.message('just between us').waitFor()
  await ann.say('heard you')
  await bob.message('heard you').waitFor()
  expect(await ann.messages().count()).toBe(2)

  await ann.page.getByPlaceholder('Message', { exact: true }).waitFor()
  await offer(ann).getByRole('button', { name: 'Echo' }).click()
  await offer(ann).waitFor({ state: 'detached' })
  await ann.page.getByPlaceholder('Message to Echo').waitFor()
  await expect
    .poll(() => ann.composer.evaluate((field) => field === document.activeElement))
    .toBe(true)
  await ann.say('is anybody there')
  await ann.message('is anybody there').nth(1).waitFor()
  await ann.page.getByRole('heading', { level: 1, name: 'Echo' }).waitFor()

  await offer(bob).waitFor({ state: 'detached' })
  await bob.say('me too')
  await bob.message('me too').nth(1).waitFor()
})

test('people may go on without a character', async () => {
  const ann = await stage.person({ viewport: { width: 320, height: 568 } })
  await ann.signIn('Ann')
  await ann.open(`${stage.server.url}/#/room/people-only`)
  const offer = ann.page.getByRole('region', { name: 'Nobody answers here yet' })
  await offer.getByRole('button', { name: 'Go on without a character' }).click()
  await offer.waitFor({ state: 'detached' })
  await ann.say('alone')
  await ann.messages('complete').waitFor()
})

test('another answer stands beside the first', async () => {
  const ann = await stage.person()
  await ann.signIn('Ann')
  await ann.startChat()
  await ann.say('once more')
  await ann.page.getByRole('button', { name: 'Another answer' }).click()
  await ann.page.getByText('Answer 2 of 2').waitFor()
  expect(await ann.messages().count()).toBe(2)
  await ann.page.getByRole('button', { name: 'Previous answer' }).click()
  await ann.page.getByText('Answer 1 of 2').waitFor()
})

test('a message counts as read once it was looked at', async () => {
  const [ann, bob] = [await stage.person(), await stage.person()]
  await ann.signIn('Ann')
  await bob.signIn('Bob')
  const address = await ann.startChat()
  await bob.page.addInitScript(() => {
    const real = document.hasFocus.bind(document)
    Object.assign(window, { isAway: true })
    document.hasFocus = () => !(window as unknown as { isAway: boolean }).isAway && real()
  })
  await bob.page.goto(address)
  await bob.page.reload()
  await ann.say('look at this')
  await bob.messages('complete').nth(1).waitFor()
  expect(await ann.page.getByText('Read', { exact: true }).count()).toBe(0)

  await bob.page.evaluate(() => {
    Object.assign(window, { isAway: false })
    window.dispatchEvent(new Event('focus'))
  })
  await ann.page.getByText('Read', { exact: true }).waitFor()
})

test('the list of chats leads to each of them, the newest first', async () => {
  const ann = await stage.person()
  await ann.signIn('Ann')
  const first = await ann.startChat()
  await ann.say('in the first')
  await ann.messages('complete').nth(1).waitFor()
  await ann.startChat()
  await ann.page.waitForURL((url) => url.href !== first)
  await ann.say('in the second')
  const links = ann.page.locator('nav a')
  await links.nth(0).getByText('in the second').waitFor()
  await links.nth(1).getByText('in the first').click()
  await ann.page.waitForURL(first)
  await ann.message('in the first').first().waitFor()
})

test('the link of a room can be copied', async () => {
  const ann = await stage.person({ permissions: ['clipboard-read', 'clipboard-write'] })
  await ann.signIn('Ann')
  const address = await ann.startChat()
  await ann.page.getByRole('button', { name: 'Copy link' }).click()
  await ann.page.getByRole('button', { name: 'Copied' }).waitFor()
  expect(await ann.page.evaluate(() => navigator.clipboard.readText())).toBe(address)
})
