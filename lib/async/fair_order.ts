/**
 * A fair order of requests from several callers.
 *
 * The rule is start-time fair queuing (Goyal, Vin and Cheng, 1996) with the
 * counters of the virtual token counter (Sheng et al., 2024): the next request
 * is that of the caller with the least service so far, counted by the cost of
 * its requests; ties and requests of one caller go by arrival. A caller that
 * returns after a pause starts level with the others: unused service does not
 * accumulate, and uncontended service is not charged.
 *
 * A request therefore waits for at most about as much service of each other
 * caller as its own caller has requested, independent of the number of their
 * queued requests. One caller alone is served in order of arrival.
 *
 * @module
 */

/**
 * The maximum number of idle callers whose service is stored; the oldest is
 * evicted first.
 */
const MAX_IDLE = 1000;

/** A request that waits or runs. */
interface Entry<T> {
  readonly item: T;
  readonly caller: string;
  readonly cost: number;
  readonly arrival: number;
  /**
   * Service of its caller before it starts. It decreases when its caller is
   * refunded, but never increases: later requests of its caller that fit
   * earlier do not delay it behind those of others.
   */
  tag: number;
}

/** The account of one caller. */
interface Account<T> {
  /** Service so far, at least that of the others when it last joined. */
  served: number;
  /** Waiting requests, in order of arrival. */
  readonly waiting: Entry<T>[];
  running: number;
}

/** Orders waiting requests and counts the service of their callers. */
export class FairOrder<T> {
  readonly #accounts = new Map<string, Account<T>>();
  readonly #waiting = new Map<T, Entry<T>>();
  readonly #running = new Map<T, Entry<T>>();
  #order: readonly T[] | undefined;
  #arrivals = 0;
  /** The highest tag whose turn it was when a request started. */
  #virtualTime = 0;

  /** Number of waiting requests. */
  get size(): number {
    return this.#waiting.size;
  }

  /** Waiting requests, the next first. */
  get order(): readonly T[] {
    this.#order ??= [...this.#waiting.values()]
      .sort((a, b) => a.tag - b.tag || a.arrival - b.arrival)
      .map(({ item }) => item);
    return this.#order;
  }

  /** Returns the service of a waiting request's caller before it starts. */
  tagOf(item: T): number {
    return this.#waiting.get(item)!.tag;
  }

  /**
   * Adds a request.
   *
   * @param cost The service that it may take; 0 or more, in any unit.
   */
  add(item: T, caller: string, cost: number): void {
    const account = this.#account(caller);
    if (account.waiting.length === 0) {
      account.served = Math.max(account.served, this.#virtualTime);
    }
    const arrival = this.#arrivals++;
    const entry = { item, caller, cost, arrival, tag: Infinity };
    this.#waiting.set(item, entry);
    account.waiting.push(entry);
    this.#retag(account);
  }

  /** Moves a request from waiting to running and charges its caller. */
  start(item: T): void {
    const entry = this.#waiting.get(item)!;
    // A request that passes others starts long before its turn: a caller that
    // joins now is level with those that it passed, not behind them.
    const turn = this.#waiting.get(this.order[0]!)!.tag;
    const account = this.#leaveQueue(entry);
    this.#virtualTime = Math.max(this.#virtualTime, turn);
    account.served += entry.cost;
    account.running++;
    this.#running.set(item, entry);
    this.#retag(account);
  }

  /**
   * Removes a request, whether it waits or runs; any other item is ignored.
   *
   * @param used The service that it took, where it is less than its cost; the
   * rest is refunded.
   */
  remove(item: T, used = Infinity): void {
    const waiting = this.#waiting.get(item);
    if (waiting !== undefined) this.#retag(this.#leaveQueue(waiting));
    const running = this.#running.get(item);
    if (running !== undefined) {
      this.#running.delete(item);
      const account = this.#account(running.caller);
      account.running--;
      const refund = Math.max(0, running.cost - used);
      // Never below the others: unused service does not accumulate.
      account.served = Math.max(
        account.served - refund,
        Math.min(account.served, this.#virtualTime),
      );
      this.#retag(account);
    }
    this.#forgetIdle();
  }

  #account(caller: string): Account<T> {
    let account = this.#accounts.get(caller);
    if (account === undefined) {
      account = { served: this.#virtualTime, waiting: [], running: 0 };
      this.#accounts.set(caller, account);
    }
    return account;
  }

  #leaveQueue(entry: Entry<T>): Account<T> {
    this.#waiting.delete(entry.item);
    const account = this.#account(entry.caller);
    account.waiting.splice(account.waiting.indexOf(entry), 1);
    return account;
  }

  #retag({ served, waiting }: Account<T>): void {
    let tag = served;
    for (const entry of waiting) {
      entry.tag = Math.min(entry.tag, tag);
      tag += entry.cost;
    }
    this.#order = undefined;
  }

  #forgetIdle(): void {
    if (this.#waiting.size + this.#running.size === 0) {
      this.#accounts.clear();
      this.#virtualTime = 0;
      return;
    }
    if (this.#accounts.size <= MAX_IDLE) return;
    for (const [caller, { waiting, running }] of this.#accounts) {
      if (this.#accounts.size <= MAX_IDLE) return;
      if (waiting.length + running === 0) this.#accounts.delete(caller);
    }
  }
}
