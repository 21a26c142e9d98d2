import type { Person } from './person'

/** What a page sends of one message: the frame as text, and whether it is to go on. */
type Gate = (frame: string) => boolean

/** Stands between a page and the server; to be set up before the page is opened. */
export class Wire {
  /** The contents of the messages that the page sent, each time. */
  readonly sent: string[] = []
  passes: Gate = () => true
  /** Acknowledgements, in the other direction. */
  passesBack: Gate = () => true

  static async between(person: Person): Promise<Wire> {
    const wire = new Wire()
    await person.page.routeWebSocket(/socket\.io/, (page) => {
      const server = page.connectToServer()
      page.onMessage((frame) => {
        const text = String(frame)
        const content = /"message:send(?::stream)?",.*"content":"([^"]*)"/.exec(text)?.[1]
        if (content !== undefined) wire.sent.push(content)
        if (wire.passes(text)) server.send(frame)
      })
      server.onMessage((frame) => {
        if (wire.passesBack(String(frame))) page.send(frame)
      })
    })
    return wire
  }
}

export const isSend: Gate = (frame) => frame.includes('"message:send')
/** What tells a sender that a message is stored: the acknowledgement, and the message itself. */
export const isWordOf: (content: string) => Gate = (content) => (frame) =>
  /^43/.test(frame) || frame.includes(`"content":"${content}"`)
