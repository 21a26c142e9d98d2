import { describe, expect, it } from 'vitest'
import { type Mailbox, ownerOf, ownMailbox } from '../outbox/mailbox'
import { memoryOutboxStore } from '../outbox/store'
import { Store } from '../store'
import { type ChatStage, chatStage } from '../testing/chat'
import { settle } from '../testing/manualClock'
import { MemoryTransport } from '../testing/memoryTransport'
import { message, ROOM, roomAck } from '../testing/room'
import { Courier } from './courier'

/** A browser: what is kept for each user, and pages that come and go. */
function browser() {
  const mailboxes = new Map<string, Mailbox & { isKept: Store<boolean> }>()
  const mailboxOf = (owner: string) => {
    const known = mailboxes.get(owner) ?? {
      ...ownMailbox(memoryOutboxStore()),
      isShared: true,
      isKept: new Store(true),
    }
    mailboxes.set(owner, known)
    return known
  }
  const page = (userId: string | undefined, server = 'here') => {
    const stage = chatStage(undefined, { mailboxes: (_, owner) => mailboxOf(owner) })
    stage.transport.userId = userId
    stage.transport.server = server
    return stage
  }
  return { page, mailboxOf }
}

async function enter({ transport }: ChatStage): Promise<void> {
  transport.accept()
  await settle()
  const last = transport.sent.findLast(({ event }) => /^room:(re)?join$/.test(event))
  if (last?.event === 'room:join' || last?.event === 'room:rejoin') last.reply(roomAck())
  await settle()
}

const sentBy = ({ transport }: ChatStage) =>
  transport.all('message:send:stream').map(({ payload }) => payload.content)

describe('what was written before the page was closed', () => {
  it('is shown on the next one, and sent when it is in the room', async () => {
    const { page } = browser()
    const first = page('me')
    await first.bind()
    void first.chat.sendMessage('one')
    void first.chat.sendMessage('two')
    await settle()

    const second = page('me')
    await second.bind()
    expect(second.view().messages.map(({ content, status }) => [content, status])).toEqual([
      ['one', 'pending'],
      ['two', 'pending'],
    ])
    await enter(second)
    expect(sentBy(second)).toEqual(['one'])
    second.transport.last('message:send:stream').reply({ success: true, seq: 1 })
    await settle()
    expect(sentBy(second)).toEqual(['one', 'two'])
  })

  it.each([
    ['another user', 'somebody', 'here'],
    ['the same name at another server', 'me', 'there'],
  ])('is neither shown to nor sent by %s', async (_, userId, server) => {
    const { page } = browser()
    const first = page('me')
    await first.bind()
    void first.chat.sendMessage('secret')
    await settle()

    const other = page(userId, server)
    await other.bind()
    await enter(other)
    await other.clock.advance(60_000)
    expect(other.view().messages).toEqual([])
    expect(sentBy(other)).toEqual([])
  })

  it('waits until it is known who one is, with what is written meanwhile behind it', async () => {
    const { page } = browser()
    const first = page('me')
    await first.bind()
    void first.chat.sendMessage('one')
    await settle()

    const second = page(undefined)
    await second.bind()
    void second.chat.sendMessage('two')
    expect(second.contents()).toEqual(['two'])
    expect(second.view().outbox.isKept).toBe(false)
    second.transport.userId = 'me'
    second.transport.open({ token: '' })
    await settle()
    expect(second.contents()).toEqual(['one', 'two'])
    expect(second.view().outbox.isKept).toBe(true)
  })
})

describe('a page that becomes another user’s', () => {
  it('shows and sends only what that one wrote, and keeps the rest for the first', async () => {
    const { page, mailboxOf } = browser()
    const stage = page('me')
    await stage.bind()
    const sending = stage.chat.sendMessage('mine')
    await settle()
    stage.transport.userId = 'somebody'
    stage.transport.open({ token: '' })
    await settle()
    expect(stage.contents()).toEqual([])
    expect(await sending).toBe(false)
    await enter(stage)
    void stage.chat.sendMessage('somebody’s')
    await settle()
    expect(sentBy(stage)).toEqual(['somebody’s'])
    const kept = await mailboxOf(ownerOf(stage.transport, 'me') ?? '').store.load(ROOM)
    expect(kept.map((entry) => entry.message.content)).toEqual(['mine'])
  })

  it('goes by the connection where that knows who one is', async () => {
    const { page, mailboxOf } = browser()
    const stage = page('me')
    await stage.bind({ userId: 'so they say' })
    void stage.chat.sendMessage('mine')
    await settle()
    const { store } = mailboxOf(ownerOf(stage.transport, 'me') ?? '')
    expect(await store.load(ROOM)).toHaveLength(1)
    expect(stage.view().messages[0]?.senderId).toBe('me')
  })
})

describe('how messages are kept', () => {
  it('is said, also when it changes', async () => {
    const { page, mailboxOf } = browser()
    const stage = page('me')
    await stage.bind()
    const { isKept } = mailboxOf(ownerOf(stage.transport, 'me') ?? '')
    expect(stage.view().outbox).toEqual({ isKept: true, isFull: false })
    isKept.set(false)
    expect(stage.view().outbox).toEqual({ isKept: false, isFull: false })
  })

  it('is said where no more are taken, and where there is room again', async () => {
    const stage = browser().page('me')
    await stage.bind()
    for (let count = 0; count < 500; count += 1) void stage.chat.sendMessage(`${count}`)
    expect(stage.view().outbox.isFull).toBe(true)
    expect(await stage.chat.sendMessage('one more')).toBe(false)
    expect(stage.view().messages).toHaveLength(500)
    stage.chat.discardMessage(stage.view().messages[0]?.id ?? '')
    expect(stage.view().outbox.isFull).toBe(false)
  })
})

describe('two tabs', () => {
  it('show what the one without a connection writes as sent by the other', async () => {
    const { page } = browser()
    const [open, closed] = [page('me'), page('me')]
    await open.bind()
    await closed.bind()
    await enter(open)
    const sending = closed.chat.sendMessage('hello')
    await settle()
    open.transport.last('message:send:stream').reply({ success: true, seq: 1 })
    expect(await sending).toBe(true)
    expect(closed.view().messages).toMatchObject([{ content: 'hello', seq: 1, status: 'sent' }])
    expect(sentBy(closed)).toEqual([])
  })
})

describe('rooms that nobody has open', () => {
  function stage() {
    const { page, mailboxOf } = browser()
    const writer = page('me')
    const transport = new MemoryTransport()
    transport.userId = 'me'
    transport.server = 'here'
    const visited: string[] = []
    const { clock } = writer
    const mailbox = mailboxOf(ownerOf(transport, 'me') ?? '')
    new Courier({
      channel: transport,
      clock,
      mailbox: () => mailbox,
      visit: async (roomId) => {
        visited.push(roomId)
        for (const { message: each } of await mailbox.store.load(roomId))
          await mailbox.store.remove(each.id)
      },
    })
    return { writer, transport, visited, clock, mailbox, page }
  }

  it('are visited after each connect, when what waits there was left behind', async () => {
    const { writer, transport, visited, clock } = stage()
    const unbind = await writer.bind()
    void writer.chat.sendMessage('left')
    await settle()
    transport.accept()
    unbind()
    await clock.advance(1_000)
    expect(visited).toEqual([ROOM])
    await clock.advance(60_000)
    expect(visited).toEqual([ROOM])
  })

  it('are visited when something is left there later, by this page or by another', async () => {
    const { writer, transport, visited, clock } = stage()
    transport.accept()
    await clock.advance(5_000)
    await writer.bind()
    void writer.chat.sendMessage('written in a tab without a connection')
    await clock.advance(5_000)
    expect(visited).toEqual([ROOM])
  })

  it('are visited when a page turns to another room before all is sent', async () => {
    const { page, mailboxOf } = browser()
    const stage = page('me')
    const visited: string[] = []
    new Courier({
      channel: stage.transport,
      clock: stage.clock,
      mailbox: () => mailboxOf(ownerOf(stage.transport, 'me') ?? ''),
      visit: async (roomId) => void visited.push(roomId),
    })
    await stage.bind()
    await enter(stage)
    void stage.chat.sendMessage('not acknowledged yet')
    await stage.clock.advance(3_000)
    expect(visited).toEqual([])
    await stage.bind({ roomId: 'other' })
    await stage.clock.advance(1_000)
    expect(visited).toEqual([ROOM])
  })

  it('are left to whoever has them open, and sends', async () => {
    const { transport, visited, clock, page } = stage()
    const other = page('me')
    await other.bind()
    await enter(other)
    void other.chat.sendMessage('on its way')
    transport.accept()
    await clock.advance(60_000)
    expect(visited).toEqual([])
  })

  it('are not visited without a connection', async () => {
    const { writer, transport, visited, clock } = stage()
    transport.accept()
    transport.drop()
    await writer.bind()
    void writer.chat.sendMessage('left')
    await clock.advance(60_000)
    expect(visited).toEqual([])
  })
})

it('a message that comes back from the server is not sent once more', async () => {
  const { page } = browser()
  const first = page('me')
  await first.bind()
  void first.chat.sendMessage('hello')
  await settle()
  const id = first.view().messages[0]?.id ?? ''

  const second = page('me')
  second.transport.accept()
  await second.bind()
  const stored = message(1, { id, content: 'hello', senderId: 'me' })
  second.transport.last('room:join').reply(roomAck({ messages: [stored] }))
  await settle()
  expect(sentBy(second)).toEqual([])
  expect(second.view().messages).toMatchObject([{ id, status: 'sent' }])
})
