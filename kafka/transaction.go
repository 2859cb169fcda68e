package kafka

import (
	"context"
	"errors"
	"fmt"

	"github.com/IBM/sarama"
)

// join adds the touched partitions to the transaction, before their first batch is sent.
func (p *Producer) join() {
	p.mu.Lock()
	parts := p.touched
	p.touched = nil
	p.mu.Unlock()

	req := &sarama.AddPartitionsToTxnRequest{
		Version: 3, TransactionalID: p.cfg.TransactionalID, ProducerID: p.id, ProducerEpoch: p.epoch,
		TopicPartitions: make(map[string][]int32),
	}
	for _, part := range parts {
		req.TopicPartitions[part.tp.Topic] = append(req.TopicPartitions[part.tp.Topic], part.tp.Partition)
	}
	var answerLost bool
	err := askCoordinator(p.ctx, p.c, p.ctl, p.coordinated(), trackLost((*sarama.Broker).AddPartitionsToTxn, &answerLost), req,
		func(res *sarama.AddPartitionsToTxnResponse) error { return firstError(res.Errors) })

	p.mu.Lock()
	defer p.mu.Unlock()
	p.joining = false
	defer p.notify()
	if err != nil {
		p.fail(fmt.Errorf("kafka: transaction %s: add partitions: %w", p.cfg.TransactionalID, withUnknownOutcome(err, answerLost)))
		return
	}
	p.began = true
	p.joined = append(p.joined, parts...)
	for _, part := range parts {
		part.joined = true
	}
	p.dispatch()
}

// firstError returns the most informative error of an answer with one per partition.
func firstError(errs map[string][]*sarama.PartitionError) error {
	var first error
	for topic, partitions := range errs {
		for _, e := range partitions {
			if e.Err == sarama.ErrNoError || e.Err == sarama.ErrOperationNotAttempted && first != nil {
				continue
			}
			err := &PartitionError{TopicPartition{topic, e.Partition}, codeError(e.Err)}
			if first == nil || hasCode(first, sarama.ErrOperationNotAttempted) {
				first = err
			}
		}
	}
	return first
}

// SendOffsets makes offsets of a group part of the transaction: they are committed with it, if the member in ref still
// belongs to the group's generation (KIP-447). Its errors include ErrIllegalGeneration, ErrUnknownMember and
// ErrFencedInstance. ErrIllegalGeneration and ErrRebalanceInProgress leave the transaction open: call SendOffsets again
// with the member's new reference, or Abort; until then, Commit fails. SendOffsets also starts sending the records
// passed to Send so far, without waiting for them. If ctx ends while a request is in flight, the outcome is unknown.
func (p *Producer) SendOffsets(ctx context.Context, ref GroupRef, offsets map[TopicPartition]CommittedOffset) error {
	if p.cfg.TransactionalID == "" {
		return errors.New("kafka: send offsets: the producer has no TransactionalID")
	}
	p.sealAll()
	if err := p.failure(); err != nil || len(offsets) == 0 {
		return err
	}
	err := p.addGroup(ctx, ref.Group)
	if err == nil {
		err = p.commitOffsets(ctx, ref, offsets)
	}
	if err == nil {
		p.missing = nil
		return nil
	}
	err = fmt.Errorf("kafka: transaction %s: offsets of group %s: %w", p.cfg.TransactionalID, ref.Group, err)
	if betweenGenerations(err) {
		p.missing = err
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fail(err)
	return p.err
}

// betweenGenerations reports whether offsets were refused only because the group has a newer generation. This does not
// affect the transaction.
func betweenGenerations(err error) bool {
	return !errors.Is(err, ErrOutcomeUnknown) && (errors.Is(err, ErrIllegalGeneration) || errors.Is(err, ErrRebalanceInProgress))
}

// addGroup adds the group's offsets to the transaction, once.
func (p *Producer) addGroup(ctx context.Context, group string) error {
	if p.groups[group] {
		return nil
	}
	req := &sarama.AddOffsetsToTxnRequest{
		Version: 3, TransactionalID: p.cfg.TransactionalID, ProducerID: p.id, ProducerEpoch: p.epoch, GroupID: group,
	}
	var answerLost bool
	err := askCoordinator(ctx, p.c, p.ctl, p.coordinated(), trackLost((*sarama.Broker).AddOffsetsToTxn, &answerLost), req,
		func(res *sarama.AddOffsetsToTxnResponse) error { return codeError(res.Err) })
	if err != nil {
		return withUnknownOutcome(err, answerLost)
	}
	p.groups[group] = true
	p.mu.Lock()
	defer p.mu.Unlock()
	p.began = true
	return nil
}

// commitOffsets sends the offsets to the group's coordinator.
func (p *Producer) commitOffsets(ctx context.Context, ref GroupRef, offsets map[TopicPartition]CommittedOffset) error {
	req := &sarama.TxnOffsetCommitRequest{
		Version: 3, TransactionalID: p.cfg.TransactionalID, GroupID: ref.Group,
		ProducerID: p.id, ProducerEpoch: p.epoch,
		GenerationID: ref.generation(), MemberID: ref.MemberID, GroupInstanceID: ref.instance(),
		Topics: make(map[string][]*sarama.PartitionOffsetMetadata),
	}
	for tp, offset := range offsets {
		req.Topics[tp.Topic] = append(req.Topics[tp.Topic], &sarama.PartitionOffsetMetadata{
			Partition: tp.Partition, Offset: offset.Offset, LeaderEpoch: -1, Metadata: &offset.Metadata,
		})
	}
	group := coordinated{sarama.CoordinatorGroup, ref.Group}
	var answerLost bool
	err := askCoordinator(ctx, p.c, p.ctl, group, trackLost((*sarama.Broker).TxnOffsetCommit, &answerLost), req,
		func(res *sarama.TxnOffsetCommitResponse) error { return firstError(res.Topics) })
	return withUnknownOutcome(err, answerLost)
}

// Commit flushes and commits the transaction: its records and offsets become visible, all or none. An empty transaction
// sends no request. After a RefusedError nothing is committed yet: call TakeRefusals, and then Commit again to commit
// without the refused records. After ErrOutcomeUnknown the transaction may or may not have been committed. If ctx ends
// before the flush, nothing has been committed, and Commit or Abort can still be called.
func (p *Producer) Commit(ctx context.Context) error {
	if p.missing != nil {
		return p.missing // committing the records without the offsets would process them twice
	}
	if err := p.Flush(ctx); err != nil {
		return err
	}
	return p.end(ctx, true)
}

// Abort drops everything sent since the last Commit or Abort, waits for requests in flight, and clears an error that is
// not final. It returns an error if the producer is unusable, or if ctx ended.
func (p *Producer) Abort(ctx context.Context) error {
	p.missing = nil
	p.mu.Lock()
	for _, part := range p.opened {
		p.openBytes -= part.open.memory()
		part.open.release()
		part.open = nil
	}
	p.opened = p.opened[:0]
	p.drop()
	for (p.sealed > 0 || p.joining) && !final(p.err) {
		changed := p.changed
		p.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("kafka: abort: %w", context.Cause(ctx))
		}
		p.mu.Lock()
		p.drop()
	}
	if final(p.err) {
		defer p.mu.Unlock()
		return p.err
	}
	p.err = nil
	p.refusals = nil
	p.hasFailed.Store(false)
	p.mu.Unlock()
	return p.end(ctx, false)
}

// end ends the transaction, if there is one.
func (p *Producer) end(ctx context.Context, commit bool) error {
	if p.cfg.TransactionalID == "" {
		return errors.New("kafka: commit or abort: the producer has no TransactionalID; without transactions, use Flush")
	}
	if err := p.endTxn(ctx, commit); err != nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.fail(err)
		return p.err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.began = false
	for _, part := range append(p.joined, p.touched...) {
		part.joined, part.touched = false, false
	}
	p.joined, p.touched = p.joined[:0], nil
	clear(p.groups)
	return nil
}

// endTxn asks the coordinator to end the transaction. Retrying is safe as long as no new transaction has begun; but
// once an answer was lost, the error of a retry says nothing about the first attempt.
func (p *Producer) endTxn(ctx context.Context, commit bool) error {
	p.mu.Lock()
	began := p.began
	p.mu.Unlock()
	if !began {
		return nil
	}
	req := &sarama.EndTxnRequest{
		Version: 3, TransactionalID: p.cfg.TransactionalID, ProducerID: p.id, ProducerEpoch: p.epoch, TransactionResult: commit,
	}
	var answerLost bool
	err := askCoordinator(ctx, p.c, p.ctl, p.coordinated(), trackLost((*sarama.Broker).EndTxn, &answerLost), req,
		func(res *sarama.EndTxnResponse) error { return codeError(res.Err) })
	if err == nil {
		return nil
	}
	verb := "abort"
	if commit {
		verb = "commit"
	}
	return fmt.Errorf("kafka: transaction %s: %s: %w", p.cfg.TransactionalID, verb, withUnknownOutcome(err, answerLost))
}
